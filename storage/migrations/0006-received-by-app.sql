-- compatible with: 1
-- The received log of one app, newest first, without reading that of the others.
alter table received drop key by_app, add key by_app (account_id, app_id, received_at, id);
