/// Statements of PostgreSQL with all that they mean: `intents | statement`. Every second one is a look-alike that does less than it seems to.
let postgresTable = #"""
    select | SELECT 1
    select | select * from users
    select | TABLE users
    select | VALUES (1), (2)
    select | SELECT 'DROP TABLE users'
    select | SELECT "drop table" FROM "delete from users"
    select | SELECT 1 -- ; DROP TABLE users
    select | SELECT 1 /* ; DELETE FROM users */
    select | SELECT 1 /* /* nested */ ; DROP TABLE x */
    select | SELECT $$DROP TABLE users; DELETE FROM users$$
    select | SELECT $x$ $$; TRUNCATE users; $$ $x$
    select | SELECT E'it\'s; DROP TABLE users; --'
    select | SELECT U&'\0044ROP TABLE users'
    select | SELECT U&"d\0061ta" FROM t
    select | SELECT 'a', B'1', X'ff', N'x'
    select | SELECT delete, drop_table, truncated FROM audit
    select | SELECT * FROM deletes WHERE verb = 'DELETE FROM users'
    select | SELECT count(*) FROM users WHERE name LIKE '%drop table%'
    select | SELECT * FROM a JOIN b USING (id) LEFT JOIN c ON c.id = a.id
    select | SELECT x FROM (SELECT x FROM y) z UNION ALL SELECT 2
    select | WITH a AS (SELECT 1) SELECT * FROM a
    select | WITH RECURSIVE t(n) AS (VALUES (1) UNION ALL SELECT n+1 FROM t WHERE n < 100) SELECT sum(n) FROM t
    select | SELECT lower(name), count(*) FROM users GROUP BY 1 HAVING count(*) > 1 ORDER BY 2 LIMIT 3
    select | SELECT now(), current_date, current_user, extract(year from now())
    select | SELECT coalesce(a, b), greatest(1, 2), nullif(a, b), a::text, CAST(b AS int) FROM t
    select | SELECT row_number() OVER (PARTITION BY a ORDER BY b) FROM t
    select | SELECT * FROM t FOR UPDATE
    select | SELECT pg_sleep(1)
    select | SELECT nextval('seq'), currval('seq')
    select | SELECT jsonb_build_object('drop', 'table'), array_agg(x) FROM t
    select | SELECT substring(a from 1 for 2), position('a' in b), trim(both ' ' from c), overlay(a placing b from 1) FROM t
    select | SELECT a AT TIME ZONE 'UTC' FROM t
    select | SELECT relname FROM pg_catalog.pg_class WHERE pg_catalog.pg_table_is_visible(oid)
    select | SELECT has_table_privilege('users', 'DELETE')
    select | SELECT pg_total_relation_size('users'), pg_size_pretty(1::bigint)
    select create | SELECT * INTO copy_of_users FROM users
    select | SELECT * INTO TEMP t2 FROM users
    select create | SELECT * INTO UNLOGGED t3 FROM users
    select call | SELECT purge_everything()
    select call | SELECT app.refresh()
    select call | SELECT * FROM public.cleanup(7)
    select call | SELECT myschema.lower('x')
    select | SELECT pg_catalog.lower('x')
    select copy_out call | SELECT pg_read_file('/etc/passwd')
    select copy_out call | SELECT pg_catalog.pg_read_binary_file('x')
    select copy_out call | SELECT * FROM pg_ls_dir('/')
    select copy_out call | SELECT lo_import('/etc/passwd')
    select copy_out call | SELECT lo_export(1, '/tmp/x')
    select | SELECT 'lo_export(1, ''/tmp/x'')'
    select | SELECT pg_read_file FROM settings
    select update call | SELECT setval('seq', 1)
    select delete call | SELECT lo_unlink(1)
    select alter call | SELECT pg_terminate_backend(1)
    select alter call | SELECT pg_reload_conf()
    select drop call | SELECT pg_drop_replication_slot('x')
    select copy_out call unknown | SELECT * FROM dblink('x', query) AS t(a int)
    select copy_out call | SELECT * FROM dblink('dbname=x', 'SELECT 1') AS t(a int)
    select drop copy_out call | SELECT dblink_exec('dbname=x', 'DROP TABLE y')
    select delete delete_all call | SELECT query_to_xml('DELETE FROM users RETURNING *', true, true, '')
    select call | SELECT query_to_xml('SELECT 1', true, true, '')
    select call | SELECT table_to_xml('users', true, true, '')
    select call | SELECT set_config('work_mem', '1MB', true)
    select grant call | SELECT set_config('role', 'admin', true)
    select call unknown | SELECT set_config(a, b, true) FROM t
    insert | INSERT INTO t VALUES (1)
    insert | INSERT INTO log (message) VALUES ('DROP TABLE users')
    insert | INSERT INTO t DEFAULT VALUES
    insert | INSERT INTO t (a) VALUES (1) ON CONFLICT DO NOTHING
    insert update | INSERT INTO t (a) VALUES (1) ON CONFLICT (a) DO UPDATE SET a = 2
    select insert | INSERT INTO t SELECT * FROM s
    insert | INSERT INTO t VALUES (1) RETURNING id
    insert call | INSERT INTO t VALUES (f(1))
    update | UPDATE t SET a = 1 WHERE id = 5
    update update_all | UPDATE t SET a = 1
    update update_all | UPDATE t SET a = 1 WHERE true
    update update_all | UPDATE t SET note = 'WHERE id = 1'
    update update_all | UPDATE t SET a = 1 -- WHERE id = 1
    update update_all | UPDATE t SET a = 1 /* WHERE id = 1 */
    update | UPDATE t SET a = 1 FROM s WHERE s.id = t.id
    update update_all | UPDATE t SET a = 1 FROM s
    select update update_all | UPDATE t SET a = (SELECT b FROM s WHERE s.id = t.id)
    update | UPDATE ONLY t AS x SET (a, b) = (1, 2) WHERE x.id = $1
    update | UPDATE t SET a = 1 WHERE CURRENT OF c
    delete | DELETE FROM t WHERE id = 5
    delete delete_all | DELETE FROM t
    delete delete_all | DELETE FROM ONLY public.t
    delete delete_all | delete/**/from/**/t
    delete delete_all | DELETE FROM t RETURNING *
    delete delete_all | DELETE FROM t USING s
    delete | DELETE FROM t USING s WHERE s.id = t.id
    delete delete_all | DELETE FROM t WHERE 1=1
    delete | DELETE FROM t WHERE 1=2
    delete delete_all | DELETE FROM t WHERE 1
    delete delete_all | DELETE FROM t WHERE true
    delete | DELETE FROM t WHERE false
    delete | DELETE FROM t WHERE NULL
    delete delete_all | DELETE FROM t WHERE NOT false
    delete | DELETE FROM t WHERE NOT true
    delete delete_all | DELETE FROM t WHERE 'a'='a'
    delete | DELETE FROM t WHERE 'a'='b'
    delete delete_all | DELETE FROM t WHERE 'a' <> 'b'
    delete delete_all | DELETE FROM t WHERE id=id
    delete delete_all | DELETE FROM t WHERE t.id=id
    delete | DELETE FROM t USING s WHERE t.id=s.id
    delete | DELETE FROM t WHERE id=other_id
    delete | DELETE FROM t WHERE id<>id
    delete delete_all | DELETE FROM t WHERE NOT (id<>id)
    delete delete_all | DELETE FROM t WHERE x IS NULL OR x IS NOT NULL
    delete | DELETE FROM t WHERE x IS NULL AND y IS NOT NULL
    delete | DELETE FROM t WHERE x IS NULL OR y IS NOT NULL
    delete | DELETE FROM t WHERE x IS NULL
    delete | DELETE FROM t WHERE expired_at IS NOT NULL
    delete delete_all | DELETE FROM t WHERE id IS NOT NULL
    delete delete_all | DELETE FROM t WHERE id > 0
    delete | DELETE FROM t WHERE id > 100
    delete | DELETE FROM t WHERE age > 0
    delete delete_all | DELETE FROM t WHERE x = 1 OR x <> 1
    delete | DELETE FROM t WHERE x = 1 OR x = 2
    delete delete_all | DELETE FROM t WHERE x < 5 OR x >= 5
    delete delete_all | DELETE FROM t WHERE x < 5 OR x > 3
    delete | DELETE FROM t WHERE x < 3 OR x > 5
    delete delete_all | DELETE FROM t WHERE x <> 1 OR x <> 2
    delete | DELETE FROM t WHERE x <> 1 AND x <> 2
    delete delete_all | DELETE FROM t WHERE id = 3 OR true
    delete | DELETE FROM t WHERE id = 3 AND true
    delete delete_all | DELETE FROM t WHERE id = 3 OR 1 = 1
    delete | DELETE FROM t WHERE id = 3 AND 1 = 1
    delete delete_all | DELETE FROM t WHERE name LIKE '%'
    delete | DELETE FROM t WHERE name LIKE 'a%'
    delete delete_all | DELETE FROM t WHERE name ILIKE '%%'
    delete delete_all | DELETE FROM t WHERE name ~ '.*'
    delete | DELETE FROM t WHERE name ~ '^a'
    delete delete_all | DELETE FROM t WHERE now() IS NOT NULL
    delete delete_all | DELETE FROM t WHERE random() < 2
    delete | DELETE FROM t WHERE created < now() - interval '30 days'
    delete delete_all | DELETE FROM t WHERE now() > '2000-01-01'
    delete delete_all | DELETE FROM t WHERE current_user = 'me'
    delete delete_all | DELETE FROM t WHERE length('x') = 1
    delete delete_all | DELETE FROM t WHERE length(name) >= 0
    delete | DELETE FROM t WHERE length(name) > 3
    delete delete_all | DELETE FROM t WHERE $1
    delete | DELETE FROM t WHERE id = $1
    delete delete_all | DELETE FROM t WHERE 1 + 1 = 2
    delete | DELETE FROM t WHERE id + 1 = 2
    delete delete_all | DELETE FROM t WHERE id + 0 = id
    delete delete_all | DELETE FROM t WHERE id * 0 = 0
    delete delete_all | DELETE FROM t WHERE name || '' = name
    delete delete_all | DELETE FROM t WHERE id::text = id::text
    delete delete_all | DELETE FROM t WHERE id IN (id)
    delete | DELETE FROM t WHERE id IN (1, 2, 3)
    delete | DELETE FROM t WHERE id NOT IN (1, 2, 3)
    delete delete_all | DELETE FROM t WHERE 1 IN (1, 2)
    delete delete_all | DELETE FROM t WHERE id BETWEEN id AND id
    delete | DELETE FROM t WHERE id BETWEEN 5 AND 9
    delete delete_all | DELETE FROM t WHERE CASE WHEN id = 1 THEN true ELSE true END
    delete | DELETE FROM t WHERE CASE WHEN id = 1 THEN true ELSE false END AND id > 7
    delete delete_all | DELETE FROM t WHERE id IS NOT DISTINCT FROM id
    delete | DELETE FROM t WHERE id IS DISTINCT FROM 4
    delete delete_all | DELETE FROM t WHERE true IS TRUE
    delete | DELETE FROM t WHERE active IS TRUE
    select delete delete_all | DELETE FROM t WHERE EXISTS (SELECT 1)
    select delete delete_all | DELETE FROM t WHERE EXISTS (SELECT 1 FROM s)
    select delete | DELETE FROM t WHERE EXISTS (SELECT 1 FROM s WHERE s.id = t.id)
    select delete | DELETE FROM t WHERE NOT EXISTS (SELECT 1 FROM s WHERE s.id = t.id)
    select delete delete_all | DELETE FROM t WHERE id IN (SELECT id FROM t)
    select delete | DELETE FROM t WHERE id IN (SELECT id FROM t WHERE old)
    select delete | DELETE FROM t WHERE id IN (SELECT id FROM gone)
    select delete delete_all | DELETE FROM t WHERE (SELECT true)
    select delete | DELETE FROM t WHERE id = (SELECT max(id) FROM t)
    delete delete_all | DELETE FROM t WHERE 't'
    delete delete_all | DELETE FROM t WHERE 'yes'::boolean
    select delete delete_all | WITH x AS (DELETE FROM t RETURNING *) SELECT * FROM x
    select insert delete | WITH x AS (DELETE FROM t WHERE id = 1 RETURNING *) INSERT INTO s SELECT * FROM x
    select delete | WITH x AS (SELECT id FROM t WHERE old) DELETE FROM t USING x WHERE x.id = t.id
    select update update_all | SELECT * FROM (WITH y AS (UPDATE t SET a = 1 RETURNING a) SELECT * FROM y) z
    truncate | TRUNCATE t
    truncate | TRUNCATE TABLE ONLY a, b RESTART IDENTITY CASCADE
    drop | DROP TABLE t
    drop | drop table if exists public.t cascade
    drop | DrOp/* */TaBlE "T"
    drop | DROP SCHEMA public CASCADE
    drop | DROP VIEW v
    drop | DROP INDEX CONCURRENTLY i
    drop | DROP DATABASE d
    drop | DROP FUNCTION f(int)
    drop | DROP TYPE t
    drop | DROP EXTENSION e
    drop | DROP TRIGGER x ON t
    drop | DROP POLICY p ON t
    drop | DROP TABLESPACE s
    drop | DROP SUBSCRIPTION s
    drop | DROP AGGREGATE a(int)
    drop | DROP MATERIALIZED VIEW m
    drop | DROP SEQUENCE s
    drop grant | DROP ROLE r
    drop grant | DROP OWNED BY r
    drop grant | DROP USER MAPPING FOR u SERVER s
    alter | ALTER TABLE t ADD COLUMN a int
    drop alter | ALTER TABLE t DROP COLUMN a
    alter | ALTER TABLE t ALTER COLUMN a DROP DEFAULT
    alter | ALTER TABLE t RENAME TO s
    alter | ALTER TABLE t RENAME COLUMN dropped TO deleted
    alter | ALTER TABLE t SET SCHEMA s
    alter grant | ALTER TABLE t OWNER TO r
    alter grant | ALTER TABLE t DISABLE ROW LEVEL SECURITY
    alter | ALTER INDEX i RENAME TO j
    alter | ALTER SEQUENCE s RESTART
    alter | ALTER TYPE c ADD VALUE 'x'
    alter | ALTER DATABASE d SET work_mem = '1MB'
    alter | ALTER SYSTEM SET work_mem = '1MB'
    alter copy_program | ALTER SYSTEM SET archive_command = 'cp %p /x'
    alter | ALTER FUNCTION f(int) STABLE
    alter grant | ALTER ROLE r PASSWORD 'x'
    alter grant | ALTER USER r SUPERUSER
    alter grant | ALTER ROLE r SET work_mem = '1MB'
    alter grant | REASSIGN OWNED BY a TO b
    alter grant | ALTER SCHEMA s OWNER TO r
    alter | COMMENT ON TABLE t IS 'DROP TABLE t'
    alter | REINDEX TABLE t
    alter | CLUSTER t
    create | CREATE TABLE t (id int PRIMARY KEY, drop_date date)
    create | CREATE UNLOGGED TABLE t (id int)
    select | CREATE TEMP TABLE t (id int)
    select | CREATE TEMPORARY TABLE t AS SELECT 1
    select create | CREATE TABLE t AS SELECT * FROM s
    select create | CREATE MATERIALIZED VIEW m AS SELECT * FROM s
    select create | CREATE VIEW v AS SELECT * FROM s
    select create | CREATE OR REPLACE VIEW v AS SELECT * FROM s
    select | CREATE TEMP VIEW v AS SELECT * FROM s
    create | CREATE INDEX i ON t (a)
    create | CREATE SCHEMA s
    create | CREATE DATABASE d
    create | CREATE EXTENSION hstore
    create | CREATE SEQUENCE s
    create | CREATE TYPE c AS ENUM ('drop', 'delete')
    create | CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'
    create | CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $$ BEGIN DROP TABLE t; END $$
    create copy_program | CREATE FUNCTION s(cstring) RETURNS int AS '/lib/libc.so.6', 'system' LANGUAGE c
    create copy_program | CREATE FUNCTION f() RETURNS int LANGUAGE plpython3u AS 'x'
    create | CREATE TRIGGER x AFTER INSERT ON t EXECUTE FUNCTION f()
    delete delete_all create | CREATE RULE r AS ON INSERT TO t DO INSTEAD DELETE FROM s
    create | CREATE FOREIGN TABLE f (a int) SERVER s
    create copy_program | CREATE FOREIGN TABLE f (a text) SERVER s OPTIONS (program 'id')
    create | CREATE SERVER s FOREIGN DATA WRAPPER postgres_fdw
    create copy_out | CREATE PUBLICATION p FOR ALL TABLES
    create copy_out | CREATE SUBSCRIPTION s CONNECTION 'host=x' PUBLICATION p
    create grant | CREATE ROLE r
    create grant | CREATE USER u PASSWORD 'x'
    create grant | CREATE POLICY p ON t USING (true)
    grant | GRANT SELECT ON t TO r
    grant | REVOKE ALL ON t FROM r
    grant | GRANT admin TO r
    grant | ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO r
    select copy_out | COPY t TO '/tmp/x'
    select copy_out | COPY t TO STDOUT
    select copy_out | COPY (SELECT * FROM t) TO STDOUT WITH CSV
    insert | COPY t FROM STDIN
    insert | COPY t FROM '/etc/passwd'
    insert copy_program | COPY t FROM PROGRAM 'id'
    select copy_out copy_program | COPY t TO PROGRAM 'cat > /tmp/x'
    select copy_out copy_program | COPY (SELECT 1) TO PROGRAM 'sh'
    insert | INSERT INTO notes VALUES ('COPY t TO PROGRAM ''sh''')
    delete delete_all select copy_out | COPY (DELETE FROM t RETURNING *) TO STDOUT
    call unknown drop | DO $$ BEGIN EXECUTE 'x'; DROP TABLE t; END $$
    call unknown | DO $$ BEGIN NULL; END $$
    call | CALL p(1)
    call unknown | EXECUTE q(1)
    delete delete_all | PREPARE q AS DELETE FROM t
    select | PREPARE q AS SELECT * FROM t
    select | DEALLOCATE q
    select | EXPLAIN DELETE FROM t
    delete delete_all | EXPLAIN ANALYZE DELETE FROM t
    delete delete_all | EXPLAIN (ANALYZE, VERBOSE) DELETE FROM t
    delete delete_all | EXPLAIN (ANALYZE on) DELETE FROM t
    delete delete_all | EXPLAIN (ANALYZE 1) DELETE FROM t
    select | EXPLAIN (ANALYZE off) DELETE FROM t
    select | EXPLAIN (ANALYZE false) DELETE FROM t
    select | EXPLAIN (COSTS off, VERBOSE) UPDATE t SET a = 1
    select | EXPLAIN SELECT 1
    update | EXPLAIN ANALYZE UPDATE t SET a = 1 WHERE id = 2
    insert | MERGE INTO t USING s ON t.id = s.id WHEN NOT MATCHED THEN INSERT VALUES (1)
    delete | MERGE INTO t USING s ON t.id = s.id WHEN MATCHED THEN DELETE
    delete delete_all | MERGE INTO t USING s ON true WHEN MATCHED THEN DELETE
    update insert | MERGE INTO t USING s ON t.id = s.id WHEN MATCHED THEN UPDATE SET a = 1 WHEN NOT MATCHED THEN INSERT VALUES (1)
    select | BEGIN
    select | START TRANSACTION ISOLATION LEVEL SERIALIZABLE
    select | COMMIT
    select | ROLLBACK TO SAVEPOINT s
    select | SET work_mem = '64MB'
    select | SET LOCAL statement_timeout = 0
    select | SHOW ALL
    select | RESET ALL
    select | DISCARD ALL
    select grant | SET ROLE admin
    select grant | SET SESSION AUTHORIZATION postgres
    select alter | SET session_replication_role = replica
    select | LISTEN c
    call | NOTIFY c, 'DROP TABLE t'
    select | LOCK TABLE t IN EXCLUSIVE MODE
    select | VACUUM FULL t
    select | ANALYZE t
    call | CHECKPOINT
    call copy_program | LOAD 'x'
    select | DECLARE c CURSOR FOR SELECT 1
    select | FETCH 10 FROM c
    select | CLOSE c
    update | REFRESH MATERIALIZED VIEW m
    create | IMPORT FOREIGN SCHEMA s FROM SERVER x INTO y
    grant | SECURITY LABEL ON TABLE t IS 'x'
    unknown drop | DROP TABEL t
    unknown | FROBNICATE t
    unknown delete delete_all | DELETE FROM
    unknown select | SELECT FROM WHERE '
    """#
