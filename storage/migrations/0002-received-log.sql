-- compatible with: 1
-- The received log lists thousands of rows without reading their bodies: what it shows of a body stands beside it.
alter table received
  add column size int unsigned as (length(body)) stored,
  add column snippet varbinary(200) as (left(body, 200)) stored,
  add key by_channel (account_id, channel_id, received_at, id);
