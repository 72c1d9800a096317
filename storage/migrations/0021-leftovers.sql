-- compatible with: 1
-- What may be kept for a time only (pictures of stories), and documents by what names them and by their bytes.
alter table attachments
  add column keep_until datetime(3) null,
  add key by_keep (keep_until),
  add key by_document (account_id, document_id);
alter table documents add key by_bytes (digest);
