export type { ServiceRule } from './build.ts';
export { findPolicyFile, type LoadPoliciesOptions, loadPolicies } from './load-policies.ts';
export { Policies } from './policies.ts';
export { POLICY_FILE_SCHEMA } from './schema.ts';
export type { JsonSchema } from './schema-pieces.ts';
export type { ServiceCall, ServiceKind, ServiceMatch } from './service-rule.ts';
