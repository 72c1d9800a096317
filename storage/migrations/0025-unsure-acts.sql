-- compatible with: 1
-- A try of it ended without an answer: it may have been done.
alter table acts add column is_unsure boolean not null default false after attempt_count;
