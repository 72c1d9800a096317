-- Tenants and people ------------------------------------------------------------------------------------------------
create table accounts (
  id uuid not null primary key,
  name varchar(200) not null,
  created_at datetime(3) not null
);

create table users (
  id uuid not null primary key,
  account_id uuid not null,
  email varchar(254) not null,
  name varchar(200) not null,
  role varchar(20) not null,
  password_hash varchar(255) character set ascii null,
  language varchar(20) not null default 'en',
  disabled_at datetime(3) null,
  created_at datetime(3) not null,
  unique key email (email),
  key by_account (account_id, id)
);

-- Truth of browser sessions; memcached only holds copies. `id_hash` is SHA-256 of the id in the cookie.
create table sessions (
  id_hash binary(32) not null primary key,
  account_id uuid null,
  user_id uuid null,
  data json not null,
  address varchar(45) character set ascii null,
  agent varchar(300) null,
  created_at datetime(3) not null,
  seen_at datetime(3) not null,
  expires_at datetime(3) not null,
  key by_user (account_id, user_id),
  key by_expiry (expires_at)
);

create table tokens (
  id uuid not null primary key,
  account_id uuid not null,
  user_id uuid not null,
  name varchar(200) not null,
  hash binary(32) not null,
  created_at datetime(3) not null,
  expires_at datetime(3) null,
  revoked_at datetime(3) null,
  unique key by_hash (hash),
  key by_user (account_id, user_id)
);

-- The first answer to each Idempotency-Key, given again to a repetition. What the request makes gets `effect_id` as its id, so that
-- a repetition after a crash finds it instead of making it twice.
create table idempotency_keys (
  account_id uuid not null,
  user_id uuid not null,
  key_hash binary(32) not null,
  request_hash binary(32) not null,
  effect_id uuid not null,
  status smallint unsigned null,
  response mediumtext null,
  created_at datetime(3) not null,
  primary key (account_id, user_id, key_hash),
  key by_age (created_at)
);

-- Networks ------------------------------------------------------------------------------------------------------------
create table apps (
  id uuid not null primary key,
  account_id uuid not null,
  network varchar(20) not null,
  name varchar(200) not null,
  external_id varchar(64) null,
  webhook_key varchar(64) character set ascii collate ascii_bin not null,
  sealed_secrets blob not null,
  consumer_key varchar(255) null,
  client_id varchar(255) null,
  api_base_url varchar(255) null,
  created_at datetime(3) not null,
  updated_at datetime(3) not null,
  unique key by_webhook_key (webhook_key),
  key by_account (account_id, id)
);

create table channels (
  id uuid not null primary key,
  account_id uuid not null,
  app_id uuid not null,
  type varchar(20) not null,
  name varchar(200) not null,
  external_id varchar(64) character set ascii collate ascii_bin not null,
  sealed_credentials blob not null,
  api_base_url varchar(255) null,
  state varchar(20) not null default 'connected',
  state_reason varchar(500) null,
  last_event_at datetime(3) null,
  token_expires_at datetime(3) null,
  created_at datetime(3) not null,
  updated_at datetime(3) not null,
  unique key by_external (account_id, type, external_id),
  key by_app (app_id, type, external_id)
);

-- People outside ------------------------------------------------------------------------------------------------------
create table contacts (
  id uuid not null primary key,
  account_id uuid not null,
  name varchar(200) not null,
  created_at datetime(3) not null,
  updated_at datetime(3) not null,
  key by_account (account_id, name, id)
);

-- `scope` is the channel's id where a network's person ids hold for one channel only (Meta), else the network's name.
create table contact_addresses (
  id uuid not null primary key,
  account_id uuid not null,
  contact_id uuid not null,
  channel_type varchar(20) not null,
  scope varchar(36) character set ascii not null,
  external_id varchar(190) character set utf8mb4 collate utf8mb4_bin not null,
  name varchar(200) null,
  handle varchar(100) null,
  picture_url varchar(1000) null,
  created_at datetime(3) not null,
  unique key by_external (account_id, scope, external_id),
  key by_contact (account_id, contact_id)
);

-- Conversations -------------------------------------------------------------------------------------------------------
create table posts (
  id uuid not null primary key,
  account_id uuid not null,
  channel_id uuid not null,
  external_id varchar(190) character set utf8mb4 collate utf8mb4_bin not null,
  text mediumtext null,
  permalink varchar(1000) null,
  occurred_at datetime(3) null,
  created_at datetime(3) not null,
  unique key by_external (account_id, channel_id, external_id)
);

-- `thread_key` says what makes it one conversation: a person's direct line, or the root of a public thread.
create table conversations (
  id uuid not null primary key,
  account_id uuid not null,
  channel_id uuid not null,
  contact_id uuid not null,
  contact_address_id uuid not null,
  visibility varchar(10) not null,
  thread_key varchar(400) character set utf8mb4 collate utf8mb4_bin not null,
  post_id uuid null,
  status varchar(10) not null default 'open',
  assignee_id uuid null,
  team_id uuid null,
  preview varchar(200) not null default '',
  last_activity_at datetime(3) not null,
  last_inbound_at datetime(3) null,
  waiting_since datetime(3) null,
  delivery_seq int unsigned not null default 0,
  created_at datetime(3) not null,
  updated_at datetime(3) not null,
  unique key by_thread (account_id, channel_id, thread_key),
  key by_status (account_id, status, last_activity_at, id),
  key by_activity (account_id, last_activity_at, id),
  key by_channel (account_id, channel_id, last_activity_at, id),
  key by_contact (account_id, contact_id, last_activity_at),
  key by_assignee (account_id, assignee_id, status, last_activity_at, id)
);

create table messages (
  id uuid not null primary key,
  account_id uuid not null,
  channel_id uuid not null,
  conversation_id uuid not null,
  contact_id uuid null,
  direction varchar(10) not null,
  kind varchar(20) not null,
  visibility varchar(10) not null,
  external_id varchar(190) character set utf8mb4 collate utf8mb4_bin null,
  author_id uuid null,
  text mediumtext null,
  in_reply_to varchar(190) character set utf8mb4 collate utf8mb4_bin null,
  extra json null,
  reactions json null,
  is_hidden boolean not null default false,
  occurred_at datetime(3) not null,
  received_at datetime(3) not null,
  edited_at datetime(3) null,
  deleted_at datetime(3) null,
  unique key by_external (account_id, channel_id, visibility, external_id),
  key by_conversation (account_id, conversation_id, occurred_at, id),
  key by_time (account_id, occurred_at, id)
);

create table attachments (
  id uuid not null primary key,
  account_id uuid not null,
  message_id uuid not null,
  position smallint unsigned not null,
  kind varchar(20) not null,
  state varchar(20) not null,
  url text null,
  external_id varchar(190) null,
  title varchar(500) null,
  content_type varchar(100) null,
  size bigint unsigned null,
  document_id uuid null,
  reason varchar(500) null,
  created_at datetime(3) not null,
  key by_message (account_id, message_id, position)
);

-- What was said of a message before it came: applied when it comes.
create table early_changes (
  id uuid not null primary key,
  account_id uuid not null,
  channel_id uuid not null,
  external_id varchar(190) character set utf8mb4 collate utf8mb4_bin not null,
  change_data json not null,
  created_at datetime(3) not null,
  key by_external (account_id, channel_id, external_id)
);

-- Documents: bytes lie on disk under their digest, never here.
create table documents (
  id uuid not null primary key,
  account_id uuid not null,
  digest binary(32) not null,
  name varchar(255) null,
  content_type varchar(100) not null,
  size bigint unsigned not null,
  created_at datetime(3) not null,
  key by_digest (account_id, digest)
);

-- Sending ---------------------------------------------------------------------------------------------------------------
-- `seq` is the order within the conversation.
create table deliveries (
  id uuid not null primary key,
  account_id uuid not null,
  channel_id uuid not null,
  conversation_id uuid not null,
  message_id uuid not null,
  seq int unsigned not null,
  state varchar(10) not null,
  reason_code varchar(100) null,
  reason varchar(500) null,
  next_attempt_at datetime(3) null,
  attempt_count smallint unsigned not null default 0,
  created_at datetime(3) not null,
  updated_at datetime(3) not null,
  unique key by_message (message_id),
  unique key by_order (conversation_id, seq),
  key by_state (state, next_attempt_at),
  key by_account (account_id, state, updated_at)
);

create table attempts (
  id uuid not null primary key,
  account_id uuid not null,
  delivery_id uuid not null,
  number smallint unsigned not null,
  node varchar(40) not null,
  started_at datetime(3) not null,
  finished_at datetime(3) null,
  outcome varchar(20) null,
  code varchar(100) null,
  reason varchar(500) null,
  unique key by_delivery (delivery_id, number)
);

-- The right to send for one conversation; `epoch` fences a holder that was paused.
create table delivery_lanes (
  conversation_id uuid not null primary key,
  holder varchar(80) not null,
  epoch bigint unsigned not null,
  expires_at datetime(3) not null,
  key by_expiry (expires_at)
);

-- Facts -----------------------------------------------------------------------------------------------------------------
-- `invalidates`: cache keys that the relay deletes once more, should the writer have died between its commit and their deletion.
create table outbox (
  id bigint unsigned not null auto_increment primary key,
  account_id uuid not null,
  type varchar(60) character set ascii not null,
  data json not null,
  invalidates json null,
  at datetime(3) not null
);

-- Numbered by the relay: gapless in the order of relaying, so that a reader that follows the numbers skips nothing.
create table events (
  number bigint unsigned not null primary key,
  account_id uuid not null,
  type varchar(60) character set ascii not null,
  data json not null,
  at datetime(3) not null,
  key by_account (account_id, number)
);

create table relay (
  id tinyint unsigned not null primary key,
  last_number bigint unsigned not null,
  published_number bigint unsigned not null
);
insert into relay (id, last_number, published_number) values (1, 0, 0);

-- Rights that expire; `epoch` rises with every new holder.
create table leases (
  name varchar(100) character set ascii not null primary key,
  holder varchar(80) not null,
  epoch bigint unsigned not null,
  expires_at datetime(3) not null
);

-- What networks sent, raw, and what became of it. The id is made at the webhook door and travels as the message id.
create table received (
  id uuid not null primary key,
  account_id uuid not null,
  app_id uuid not null,
  channel_id uuid null,
  body mediumblob not null,
  state varchar(10) not null,
  reason varchar(500) null,
  trace json null,
  tries smallint unsigned not null default 0,
  received_at datetime(3) not null,
  processed_at datetime(3) null,
  key by_account (account_id, received_at, id),
  key by_app (account_id, app_id, state, received_at),
  key by_state (state, received_at)
);

-- Broker messages that failed: waiting for another try, or dead (kept whole, visible, replayable).
create table parked_messages (
  id uuid not null primary key,
  queue varchar(40) character set ascii not null,
  message_id varchar(100) character set ascii not null,
  body mediumblob not null,
  properties json not null,
  state varchar(10) not null,
  tries smallint unsigned not null,
  last_error varchar(1000) not null,
  next_try_at datetime(3) null,
  created_at datetime(3) not null,
  updated_at datetime(3) not null,
  unique key by_message (queue, message_id),
  key by_state (state, next_try_at)
);

create table nodes (
  id varchar(40) not null primary key,
  boot_id uuid not null,
  roles varchar(100) not null,
  version varchar(40) not null,
  pid int unsigned not null,
  host varchar(100) not null,
  port smallint unsigned not null,
  started_at datetime(3) not null,
  seen_at datetime(3) not null
);
