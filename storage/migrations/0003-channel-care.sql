-- compatible with: 1
-- Looking after channels. `troubles`: what is wrong, by where it was noticed; `state`, `state_code`, `state_reason` and
-- `state_cure` are the worst of it. `credentials_version` fences a refresh against a reconnection at the same time.
alter table channels
  add column state_code varchar(100) null after state,
  add column state_cure varchar(500) null after state_reason,
  add column troubles json null,
  add column subscription_state varchar(10) null,
  add column subscription_missing json null,
  add column quotas json null,
  add column credentials_version int unsigned not null default 1,
  add column token_issued_at datetime(3) null,
  add column refresh_began_at datetime(3) null,
  add column checked_at datetime(3) null,
  add column check_due_at datetime(3) null,
  add column caught_up_to datetime(3) null,
  add column disconnected_at datetime(3) null,
  add key by_check (check_due_at);

-- Reading back what was missed, one at a time for each channel; a row lives until all is read. `read_cursor` and the counts move in
-- the transaction that takes a page in. `again_since`: another gap was noticed meanwhile.
create table catch_ups (
  channel_id uuid not null primary key,
  account_id uuid not null,
  why varchar(40) not null,
  since datetime(3) not null,
  began_at datetime(3) not null,
  read_cursor text null,
  pages int unsigned not null default 0,
  found int unsigned not null default 0,
  fresh int unsigned not null default 0,
  tries smallint unsigned not null default 0,
  replay_asked_at datetime(3) null,
  again_since datetime(3) null,
  again_why varchar(40) null,
  due_at datetime(3) not null,
  last_error varchar(500) null,
  key by_due (due_at)
);

-- People on their way through a network's sign-in. `state_hash` is SHA-256 of the OAuth state, `binding_hash` of what names the
-- browser session; sealed lie the PKCE verifier and later the channels to choose from.
create table connect_attempts (
  id uuid not null primary key,
  account_id uuid not null,
  user_id uuid not null,
  app_id uuid not null,
  type varchar(20) not null,
  state_hash binary(32) not null,
  binding_hash binary(32) not null,
  redirect_uri varchar(500) not null,
  step varchar(10) not null,
  sealed_data mediumblob not null,
  created_at datetime(3) not null,
  expires_at datetime(3) not null,
  unique key by_state (state_hash),
  key by_expiry (expires_at)
);
