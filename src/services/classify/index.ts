export { type CodePattern, type CodeProperty, type CodeTable, classifyByCode } from './classify-by-code.ts';
