-- compatible with: 1
-- Answers that are to be sent later have no place in the order of sending until their time has come (`seq` null).
alter table deliveries modify column seq int unsigned null;

-- An answer planned with `ends_if_answered` is called off when the contact writes before; `ends_if_answered` of a conversation: there
-- may be such an answer, so that others need not be looked through.
alter table occurrences add column ends_if_answered boolean not null default false;
alter table conversations add column ends_if_answered boolean not null default false;
