/**
 * The arguments of a call at rest. `bytes` is the size of their JSON text in UTF-8; `version` the one that the operation
 * gave its arguments; `altered` what is not as the caller gave it, so that nobody mistakes it for the original.
 */
export type StoredPayload = (PlainPayload | SealedPayload | OmittedPayload) & {
  readonly version: number;
  readonly bytes: number;
  readonly altered: readonly Alteration[];
};

/** JSON text of the list of arguments. */
export interface PlainPayload {
  readonly kind: 'plain';
  readonly json: string;
}

/** The same text, encrypted. All fields but the names are base64. */
export interface SealedPayload {
  readonly kind: 'sealed';
  readonly algorithm: string;
  /** Which key opens it. */
  readonly keyId: string;
  readonly iv: string;
  readonly tag: string;
  readonly data: string;
}

/** A marker where the payload could not be kept. */
export interface OmittedPayload {
  readonly kind: 'omitted';
  readonly why: Omission;
}

/**
 * Why a payload is not there: larger than the limit (`bytes` is then the least that it has), its getters or the call
 * stack failed, the redaction or the encryption failed, a redrive has succeeded, or the letter was written by a newer
 * version of the library or is damaged.
 */
export type Omission =
  | 'too_large'
  | 'unreadable'
  | 'redaction_failed'
  | 'sealing_failed'
  | 'redriven'
  | 'newer_version'
  | 'damaged';

/**
 * What differs from the call. In its arguments secrets were taken out, something referred to itself, was of a type that JSON
 * does not have (also a text with half a surrogate pair), could not be read, or lay too deep; or the letter holds a digest in
 * place of the idempotency key.
 */
export type Alteration = 'redacted' | 'circular' | 'type' | 'unreadable' | 'depth' | 'idempotency_key';

/** Values that JSON has. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
