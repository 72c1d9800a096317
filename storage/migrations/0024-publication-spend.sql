-- compatible with: 1
-- What an attempt to publish was put down for, to be taken off again should the network refuse it.
alter table publication_attempts
  add column spend_kind varchar(20) character set ascii null,
  add column spend_micros int unsigned null,
  add column spend_month char(7) character set ascii null;
