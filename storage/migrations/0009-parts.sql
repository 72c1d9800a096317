-- compatible with: 1
-- An answer that needs several requests is sent in parts, each with a delivery of its own and the network's own id. `text` and `files`
-- (positions of attachments) are a part's share of it; null: all of it. Receipts, echoes and reactions name any of them.
alter table deliveries
  add column part smallint unsigned not null default 0 after message_id,
  add column part_count smallint unsigned not null default 1 after part,
  add column text mediumtext null after part_count,
  add column files json null after text,
  add column external_id varchar(190) character set utf8mb4 collate utf8mb4_bin null after files,
  add column reason_class varchar(20) character set ascii null after reason_code,
  add column deleted_at datetime(3) null,
  drop key by_message,
  add unique key by_part (message_id, part),
  add key by_external (account_id, channel_id, external_id);

-- Said to people who do not see the picture.
alter table attachments add column alt_text varchar(1000) null after link;

-- What a network has been given already, and how it calls it. `begun`: it is still looking at it. The name of the file is one for each
-- use and each text for those who do not see it, as networks keep that text with the file.
create table uploads (
  account_id uuid not null,
  channel_id uuid not null,
  document_id uuid not null,
  used_for varchar(10) character set ascii not null,
  alt_hash binary(32) not null,
  external_id varchar(500) character set utf8mb4 collate utf8mb4_bin not null,
  is_begun boolean not null,
  expires_at datetime(3) null,
  created_at datetime(3) not null,
  primary key (account_id, channel_id, document_id, used_for, alt_hash)
);
