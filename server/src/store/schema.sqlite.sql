-- The schema that migrations/ make on SQLite, for review; a test holds the two together.

CREATE TABLE "access_token" (
  "id" text not null primary key,
  "kind" text not null check (kind in ('service', 'verifier', 'operator')),
  "account_id" text references "account" ("id"),
  "name" text not null,
  "digest" blob not null unique check (length("digest") = 32),
  "hint" text not null,
  "created_at" integer not null,
  "created_by_type" text not null,
  "created_by_id" text not null,
  "created_by_name" text not null,
  "last_used_at" integer,
  "deleted_at" integer,
  "deletion_seq" integer references "revocation" ("seq") check ((deleted_at is null) = (deletion_seq is null)),
  "expires_at" integer,
  constraint "access_token_account" check ((kind = 'service') = (account_id is not null))
) strict;

CREATE INDEX "access_token_account_id_idx" on "access_token" ("account_id");

CREATE TABLE "account" (
  "id" text not null primary key,
  "slug" text not null unique check (length("slug") between 1 and 128),
  "name" text not null check (length("name") between 1 and 512),
  "external_id" text check (length("external_id") between 1 and 512),
  "created_at" integer not null,
  "suspended_at" integer,
  "suspension_seq" integer references "revocation" ("seq"),
  "deleted_at" integer,
  "deletion_seq" integer references "revocation" ("seq"),
  "key_max_age_ms" integer,
  "key_max_age_from" integer,
  "two_factor_required_at" integer,
  constraint "account_suspension" check (("suspended_at" is null) = ("suspension_seq" is null)),
  constraint "account_deletion" check (("deleted_at" is null) = ("deletion_seq" is null))
) strict;

CREATE UNIQUE INDEX "account_external_id_idx" on "account" ("external_id") where deleted_at is null;

CREATE TRIGGER "api_key_number" after insert on "api_key" begin
  update "api_key"
  set number = (select coalesce(max(number), 0) + 1 from "api_key") where id = new.id;
end;

CREATE TABLE "api_key" (
  "id" text not null primary key,
  "environment_id" text not null references "environment" ("id"),
  "type" text not null check (type in ('secret', 'public')),
  "digest" blob not null unique check (length("digest") = 32),
  "hint" text not null,
  "token" text,
  "description" text not null check (length("description") between 0 and 256),
  "metadata" text not null check (length("metadata") between 2 and 8192),
  "search_text" text not null,
  "created_at" integer not null,
  "created_by_type" text not null,
  "created_by_id" text not null,
  "created_by_name" text not null,
  "expires_at" integer,
  "revoked_at" integer,
  "revoked_by_type" text,
  "revoked_by_id" text,
  "revoked_by_name" text,
  "revoked_reason" text,
  "revocation_seq" integer references "revocation" ("seq"),
  "rotated_from" text references "api_key" ("id"),
  "rotated_to" text references "api_key" ("id"),
  number integer,
  "overlap_ms" integer,
  "overlap_from" integer,
  "expires_before" integer,
  "expiry_seq" integer references "revocation" ("seq"),
  "exchanged_by" text references "access_token" ("id"),
  constraint "api_key_secret_not_kept" check (type = 'public' or token is null),
  constraint "api_key_revocation" check (("revoked_at" is null) = ("revocation_seq" is null)),
  constraint "api_key_revoked_by" check (("revoked_at" is null) = ("revoked_by_id" is null))
) strict;

CREATE INDEX "api_key_environment_id_idx" on "api_key" ("environment_id", "id");

CREATE INDEX "api_key_exchanged_by_idx" on "api_key" ("exchanged_by", "expires_at") where "exchanged_by" is not null;

CREATE UNIQUE INDEX "api_key_number_idx" on "api_key" ("number");

CREATE INDEX "api_key_overlap_awaited_idx" on "api_key" ("rotated_to") where overlap_ms is not null and overlap_from is null and revoked_at is null;

CREATE UNIQUE INDEX "api_key_rotated_to_idx" on "api_key" ("rotated_to") where "rotated_to" is not null;

CREATE TABLE "audit_event" (
  "id" text not null primary key,
  "account_id" text references "account" ("id"),
  "environment_id" text references "environment" ("id"),
  "at" integer not null,
  "actor_type" text not null,
  "actor_id" text not null,
  "actor_name" text not null,
  "action" text not null,
  "subject_type" text not null,
  "subject_id" text not null,
  "request_id" text,
  "address" text,
  "user_agent" text,
  "details" text not null
) strict;

CREATE INDEX "audit_event_account_id_idx" on "audit_event" ("account_id", "id");

CREATE INDEX "audit_event_action_idx" on "audit_event" ("account_id", "action", "id");

CREATE INDEX "audit_event_actor_id_idx" on "audit_event" ("account_id", "actor_id", "id");

CREATE INDEX "audit_event_subject_id_idx" on "audit_event" ("account_id", "subject_id", "id");

CREATE TABLE "change" (
  "seq" integer primary key,
  "id" text not null unique,
  "kind" text not null check (kind in ('key', 'environment', 'account')),
  "subject" text not null
) strict;

CREATE TABLE "change_clock" (
  "id" integer primary key check (id = 1),
  "seq" integer not null check (seq >= 0)
) strict;

CREATE TABLE "credential" (
  "id" text not null primary key,
  "person_id" text not null references "person" ("id") on delete cascade,
  "provider_account_id" text not null,
  "provider_id" text not null,
  "access_token" text,
  "refresh_token" text,
  "id_token" text,
  "access_token_expires_at" date,
  "refresh_token_expires_at" date,
  "scope" text,
  "password" text,
  "created_at" date not null,
  "updated_at" date not null
);

CREATE INDEX "credential_person_id_idx" on "credential" ("person_id");

CREATE TRIGGER "environment_number" after insert on "environment" begin
  update "environment"
  set number = (select coalesce(max(number), 0) + 1 from "environment") where id = new.id;
end;

CREATE TABLE "environment" (
  "id" text not null primary key,
  "account_id" text not null references "account" ("id"),
  "slug" text not null check (length("slug") between 1 and 128),
  "name" text not null check (length("name") between 1 and 512),
  "created_at" integer not null,
  "deleted_at" integer,
  "deletion_seq" integer references "revocation" ("seq"),
  number integer,
  constraint "environment_slug_unique" unique ("account_id", "slug"),
  constraint "environment_deletion" check (("deleted_at" is null) = ("deletion_seq" is null))
) strict;

CREATE UNIQUE INDEX "environment_number_idx" on "environment" ("number");

CREATE TABLE "idempotency" (
  "scope" text not null primary key,
  "body_digest" text not null,
  "subject_id" text not null,
  "created_at" integer not null
) strict;

CREATE INDEX "idempotency_created_at_idx" on "idempotency" ("created_at");

CREATE TABLE "invitation" (
  "id" text not null primary key,
  "account_id" text not null references "account" ("id"),
  "email" text not null,
  "role" text not null check (role in ('owner', 'admin', 'member', 'support')),
  "digest" blob not null unique check (length(digest) = 32),
  "created_at" integer not null,
  "created_by_type" text not null,
  "created_by_id" text not null,
  "created_by_name" text not null,
  "expires_at" integer not null,
  "mailed" integer not null check (mailed in (0, 1))
) strict;

CREATE UNIQUE INDEX "invitation_email_idx" on "invitation" ("account_id", "email");

CREATE TABLE "key_caller" (
  "key" integer not null,
  "address" text not null,
  "user_agent" text not null,
  "first_seen" integer not null,
  "last_seen" integer not null,
  "count" integer not null,
  constraint "key_caller_pkey" primary key ("key", "address", "user_agent")
) strict, without rowid;

CREATE TABLE "key_use" (
  "key" integer not null primary key,
  "last_used_at" integer not null
) strict, without rowid;

CREATE TABLE "member" (
  "account_id" text not null references "account" ("id"),
  "person_id" text not null references "person" ("id") on delete cascade,
  "role" text not null check (role in ('owner', 'admin', 'member', 'support')),
  "created_at" integer not null,
  constraint "member_primary_key" primary key ("account_id", "person_id")
) strict;

CREATE INDEX "member_person_id_idx" on "member" ("person_id");

CREATE TABLE "node" (
  "id" text not null primary key,
  "lease_ms" integer not null check (lease_ms > 0),
  "renewals" integer not null,
  "applied_seq" integer not null,
  "below" integer not null check (below >= 0),
  "label" text not null
) strict;

CREATE TABLE "person" (
  "id" text not null primary key,
  "name" text not null,
  "email" text not null unique,
  "email_verified" integer not null,
  "image" text,
  "two_factor_enabled" integer,
  "created_at" date not null,
  "updated_at" date not null,
  "operator" integer default 0 not null
);

CREATE TABLE "refusal" (
  "request_id" text not null primary key,
  "at" integer not null,
  "reason" text not null,
  "key_id" text,
  "environment_id" text,
  "account_id" text,
  "address" text,
  "user_agent" text,
  "types" text not null,
  "environment_asked" text
) strict;

CREATE INDEX "refusal_account_id_at_idx" on "refusal" ("account_id", "at", "request_id");

CREATE INDEX "refusal_account_id_reason_at_idx" on "refusal" ("account_id", "reason", "at", "request_id");

CREATE INDEX "refusal_at_idx" on "refusal" ("at", "request_id");

CREATE INDEX "refusal_environment_id_at_idx" on "refusal" ("environment_id", "at", "request_id");

CREATE INDEX "refusal_key_id_at_idx" on "refusal" ("key_id", "at", "request_id");

CREATE TABLE "revocation" (
  "seq" integer primary key,
  "kind" text not null check (kind in ('key', 'environment', 'account')),
  "subject_id" text not null,
  "revoked_at" integer not null,
  "effective_at" integer,
  "took_ms" integer,
  "acknowledged" integer default 0 not null,
  "lapsed" integer default 0 not null,
  constraint "revocation_effective_after" check (effective_at >= revoked_at),
  constraint "revocation_receipt" check ((effective_at is null) = (took_ms is null))
) strict;

CREATE INDEX "revocation_pending_idx" on "revocation" ("seq") where effective_at is null;

CREATE TABLE "session" (
  "id" text not null primary key,
  "person_id" text not null references "person" ("id") on delete cascade,
  "token" text not null unique,
  "expires_at" date not null,
  "ip_address" text,
  "user_agent" text,
  "created_at" date not null,
  "updated_at" date not null,
  "account_id" text references "account" ("id")
);

CREATE INDEX "session_expires_at_idx" on "session" ("expires_at");

CREATE INDEX "session_person_id_idx" on "session" ("person_id");

CREATE TABLE "setup_link" (
  "id" integer primary key check (id = 1),
  "digest" blob check (length("digest") = 32),
  "expires_at" integer,
  "completed_at" integer,
  constraint "setup_link_expiry" check (("digest" is null) = ("expires_at" is null)),
  constraint "setup_link_closed" check (completed_at is null or digest is null)
) strict;

CREATE TABLE "sign_in_link" (
  "id" text not null primary key,
  "account_id" text not null references "account" ("id"),
  "email" text not null,
  "name" text not null,
  "role" text not null check (role in ('owner', 'admin', 'member', 'support')),
  "digest" blob not null unique check (length(digest) = 32),
  "expires_at" integer not null
) strict;

CREATE INDEX "sign_in_link_expires_at_idx" on "sign_in_link" ("expires_at");

CREATE TABLE "two_factor" (
  "id" text not null primary key,
  "person_id" text not null references "person" ("id") on delete cascade,
  "secret" text not null,
  "backup_codes" text not null,
  "verified" integer,
  "failed_verification_count" integer,
  "locked_until" date
);

CREATE INDEX "two_factor_person_id_idx" on "two_factor" ("person_id");

CREATE INDEX "two_factor_secret_idx" on "two_factor" ("secret");

CREATE TABLE "usage_day" (
  "environment" integer not null,
  "at" integer not null,
  "key" integer not null,
  "accepted" integer not null,
  "revoked" integer not null,
  "expired" integer not null,
  "wrong_type" integer not null,
  "wrong_environment" integer not null,
  constraint "usage_day_pkey" primary key ("environment", "at", "key")
) strict, without rowid;

CREATE TABLE "usage_hour" (
  "environment" integer not null,
  "at" integer not null,
  "key" integer not null,
  "accepted" integer not null,
  "revoked" integer not null,
  "expired" integer not null,
  "wrong_type" integer not null,
  "wrong_environment" integer not null,
  constraint "usage_hour_pkey" primary key ("environment", "at", "key")
) strict, without rowid;

CREATE TABLE "usage_minute" (
  "environment" integer not null,
  "at" integer not null,
  "key" integer not null,
  "accepted" integer not null,
  "revoked" integer not null,
  "expired" integer not null,
  "wrong_type" integer not null,
  "wrong_environment" integer not null,
  constraint "usage_minute_pkey" primary key ("environment", "at", "key")
) strict, without rowid;

CREATE TABLE "usage_source" (
  "id" text not null primary key,
  "batch" integer not null,
  "batch_before" integer not null,
  "stored_at" integer not null
) strict, without rowid;

CREATE TABLE "verification" (
  "id" text not null primary key,
  "identifier" text not null,
  "value" text not null,
  "expires_at" date not null,
  "created_at" date not null,
  "updated_at" date not null
);

CREATE INDEX "verification_expires_at_idx" on "verification" ("expires_at");

CREATE INDEX "verification_identifier_idx" on "verification" ("identifier");
