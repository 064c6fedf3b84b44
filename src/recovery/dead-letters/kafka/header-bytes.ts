/** Text as the value of a header. */
export function textBytes(value: string): Buffer {
  return Buffer.from(value);
}

/** A number as Spring Kafka writes that of a partition: 4 bytes, big-endian. */
export function int32Bytes(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value | 0);
  return bytes;
}

/** A number as Spring Kafka writes an offset or a time: 8 bytes, big-endian. */
export function int64Bytes(value: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64BE(BigInt.asIntN(64, value));
  return bytes;
}
