-- compatible with: 1
-- Fetching the bytes of attachments: who is at it until when, how often it was tried. A new one is due since long ago, so that it goes
-- before what has failed already.
alter table attachments
  add column sha256 varchar(64) character set ascii null,
  add column reason_code varchar(40) character set ascii null,
  add column attempts tinyint unsigned not null default 0,
  add column claim_id uuid null,
  add column next_try_at datetime(3) null default '2000-01-01 00:00:00',
  add key by_due (state, next_try_at);

-- Smaller copies of pictures; their bytes lie on disk under their digest, as the documents' own.
create table document_variants (
  account_id uuid not null,
  document_id uuid not null,
  name varchar(20) character set ascii not null,
  digest binary(32) not null,
  content_type varchar(100) character set ascii not null,
  size bigint unsigned not null,
  width int unsigned not null,
  height int unsigned not null,
  primary key (account_id, document_id, name),
  key by_digest (digest)
);
