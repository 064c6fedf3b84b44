export { classifyGrpcError } from './classify-grpc-error.ts';
export { GRPC_DEFAULTS, type GrpcRetryOptions } from './grpc-options.ts';
export { grpcRetryInterceptor } from './retry-interceptor.ts';
export type { StatusName } from './statuses.ts';
