export { classifyByCode } from './classify-by-code.ts';
export type { CodePattern, CodeProperty, CodeTable } from './code-table.ts';
