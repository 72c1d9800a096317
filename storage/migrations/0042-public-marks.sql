-- compatible with: 1
-- That a conversation is public is a mark too (`kind` 5): few are, and lists are narrowed to them.
insert ignore into conversation_marks (account_id, conversation_id, kind, mark, status, last_activity_at)
  select account_id, id, 5, cast('00000000-0000-0000-0000-000000000000' as uuid), status, last_activity_at from conversations where visibility = 'public';
update conversations set is_marked = true where visibility = 'public';
