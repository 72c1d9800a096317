-- compatible with: 1
-- What a card says besides its title (an address, numbers, the lines of an order), and where a share leads.
alter table attachments
  add column text varchar(2000) null after title,
  add column link varchar(2000) null after text;

-- Places, shares and cards have no file: nothing is missing there.
update attachments set state = 'fetched', reason = null, reason_code = null, next_try_at = null
where reason_code = 'no_file' and kind in ('location', 'share', 'other');

-- The last word of each person on a post; `emoji` null: taken back. `reactions` of the post is the tally of it, by emoji.
create table post_reactions (
  account_id uuid not null,
  post_id uuid not null,
  person varchar(190) character set utf8mb4 collate utf8mb4_bin not null,
  emoji varchar(40) character set utf8mb4 collate utf8mb4_bin null,
  at datetime(3) not null,
  primary key (account_id, post_id, person)
);
alter table posts add column reactions json null;
