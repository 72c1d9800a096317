-- compatible with: 1
-- What happens by itself. `trigger_data`: the event or the time; `conditions`: a tree of and and or; `acts` in their order.
-- `pause_minutes`: not again for the same conversation within that time. `active_since`: nothing older is looked at.
create table rules (
  id uuid not null primary key,
  account_id uuid not null,
  name varchar(100) not null,
  position int not null default 0,
  is_active boolean not null default false,
  active_since datetime(3) null,
  trigger_type varchar(40) character set ascii not null,
  trigger_data json not null,
  conditions json not null,
  acts json not null,
  stops_after boolean not null default false,
  pause_minutes int unsigned null,
  created_at datetime(3) not null,
  updated_at datetime(3) not null,
  key by_account (account_id, position, id),
  key by_active (is_active, account_id)
);

-- Once for each event, once for each period of waiting (`since`: when it began). `outcome` says how it ended, `did` what was done.
create table rule_runs (
  id uuid not null primary key,
  account_id uuid not null,
  rule_id uuid not null,
  conversation_id uuid not null,
  event_number bigint unsigned null,
  since datetime(3) null,
  outcome varchar(12) character set ascii not null,
  did json null,
  at datetime(3) not null,
  unique key by_event (rule_id, event_number),
  unique key by_period (rule_id, conversation_id, since),
  key by_rule (account_id, rule_id, outcome, id),
  key by_conversation (account_id, conversation_id, outcome, id),
  key by_age (at)
);

-- A rule that ran too often for one conversation leaves it alone until somebody changes the rule.
create table rule_pauses (
  account_id uuid not null,
  rule_id uuid not null,
  conversation_id uuid not null,
  at datetime(3) not null,
  primary key (account_id, rule_id, conversation_id)
);

-- When somebody is there: of the account (`owner_id` is its own id) or of a team.
create table business_hours (
  account_id uuid not null,
  owner_id uuid not null,
  time_zone varchar(64) not null,
  weekly json not null,
  holidays json not null,
  updated_at datetime(3) not null,
  primary key (account_id, owner_id)
);

-- `owner_id`: the account, or the team whose they are. `document_ids`: files that go along.
create table canned_replies (
  id uuid not null primary key,
  account_id uuid not null,
  owner_id uuid not null,
  shortcut varchar(40) not null,
  name varchar(100) not null,
  text mediumtext not null,
  document_ids json not null,
  use_count int unsigned not null default 0,
  used_at datetime(3) null,
  created_at datetime(3) not null,
  updated_at datetime(3) not null,
  unique key by_shortcut (account_id, owner_id, shortcut)
);

-- `owner_id`: the account, a team, or the user whose it is.
create table macros (
  id uuid not null primary key,
  account_id uuid not null,
  owner_id uuid not null,
  scope varchar(8) character set ascii not null,
  name varchar(100) not null,
  acts json not null,
  position int not null default 0,
  created_at datetime(3) not null,
  updated_at datetime(3) not null,
  key by_account (account_id, position, id)
);
