-- compatible with: 1
-- What is still to be done of a conversation, however much was done before.
alter table deliveries add key by_open (conversation_id, state, seq);
