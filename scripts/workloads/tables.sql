-- tables.sql - fills two tables, indexes, joins, groups, updates and deletes.
create table item(id integer primary key, name text, price real);
create table sale(item integer, day integer, note text);
with recursive s(i) as (select 1 union all select i + 1 from s where i < 4000)
    insert into item select i, hex(i * 7919) || 'x' || i, i * 0.5 from s;
with recursive s(i) as (select 1 union all select i + 1 from s where i < 12000)
    insert into sale select i * 7919 % 4000, i % 365, 'note ' || i from s;
create index by_name on item(name);
create index by_item on sale(item, day);
select count(*), avg(price) from item where name like '3%';
select day / 30, count(*), sum(price), group_concat(note, ';')
    from sale join item on item.id = sale.item group by 1 order by 3 desc;
update item set name = name || '!' where id % 3 = 0;
delete from sale where day % 7 = 0;
select upper(name), length(name) from item where id in
    (select item from sale where day < 200) order by name limit 500;
