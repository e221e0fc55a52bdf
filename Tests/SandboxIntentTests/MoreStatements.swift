/// More of the same, each dialect for itself: odd ways to write what destroys, and what only reads like it.
let morePostgres = #"""
    select | SELECT now()
    select | SELECT a FROM t WHERE b = 'x; DROP TABLE t'
    select | SELECT $tag$; DELETE FROM t; $tag$ AS x
    select | SELECT '--', '/*' , '*/' FROM t
    select | SELECT /* a */ 1 /* ; DROP TABLE t; */
    select | SELECT 1 --; DROP TABLE t
    select | SELECT e'\\'';DROP TABLE t;--' FROM t
    select | SELECT "; DROP TABLE t; --" FROM t
    select | SELECT "a""; DROP TABLE t" FROM t
    select | SELECT 'a''; DROP TABLE t; --' FROM t
    select | SELECT U&"drop\0020table" FROM t
    select | SELECT U&'d!0061t!+000061' UESCAPE '!'
    select drop unknown | SELECT drop, table FROM "update"
    select | SELECT drop table FROM x
    select | SELECT "update", "delete" FROM "truncate" WHERE "drop" = 1
    select | SELECT t."drop" FROM t
    select | SELECT x AS "DELETE FROM t"
    select | SELECT count(*) FILTER (WHERE action = 'DELETE') FROM log
    select | SELECT string_agg(q, '; DROP TABLE ') FROM t
    select | SELECT * FROM drop_requests
    select | SELECT deleted_at, updated_at, created_at FROM users
    select | SELECT CASE WHEN a THEN 'TRUNCATE' ELSE 'GRANT' END FROM t
    select | SELECT ARRAY['DROP TABLE t']
    select | SELECT ROW('DELETE', 1)
    select | SELECT '{"sql":"DROP TABLE t"}'::jsonb
    select | SELECT 'DROP TABLE t'::text || ' CASCADE'
    select | SELECT format('DROP TABLE %I', 'x')
    select | SELECT quote_ident('drop')
    select | SELECT regexp_replace(q, 'DELETE.*', '') FROM t
    select | SELECT * FROM (SELECT 'UPDATE t SET a=1' AS sql) s
    select | SELECT * FROM t TABLESAMPLE SYSTEM (1)
    select | SELECT DISTINCT ON (a) * FROM t
    select | SELECT * FROM a NATURAL JOIN b
    select | SELECT * FROM t FETCH FIRST 5 ROWS ONLY
    select | SELECT * FROM generate_series(1, 10)
    select | SELECT a, rank() OVER (PARTITION BY b ORDER BY c) FROM t
    select | WITH RECURSIVE r AS (SELECT 1 UNION ALL SELECT 2) SELECT * FROM r
    select | WITH drop AS (SELECT 1) SELECT * FROM drop
    select | WITH x AS MATERIALIZED (SELECT * FROM t) SELECT * FROM x
    select | SELECT * FROM t WHERE EXISTS (SELECT 1 FROM u WHERE verb = 'DROP')
    select | VALUES ('DROP TABLE t')
    select | TABLE "drop"
    select | EXPLAIN UPDATE t SET a = 1
    select | EXPLAIN (COSTS OFF) DELETE FROM t
    select | EXPLAIN VERBOSE INSERT INTO t VALUES (1)
    select | EXPLAIN (ANALYZE FALSE) DELETE FROM t
    select | EXPLAIN (ANALYZE OFF, BUFFERS) DELETE FROM t
    select | SHOW search_path
    select | SET search_path TO x
    select | SET LOCAL statement_timeout = '5s'
    select | ROLLBACK
    select | SAVEPOINT drop
    select | ROLLBACK TO SAVEPOINT x
    select | START TRANSACTION READ ONLY
    select | LISTEN x
    select | UNLISTEN *
    select | CLOSE ALL
    select | FETCH NEXT FROM c
    select | CREATE TEMP TABLE x AS SELECT 1
    select | CREATE TEMPORARY TABLE x (a int)
    select | SELECT 1 INTO TEMP x
    select | DEALLOCATE ALL
    select | PREPARE p AS SELECT 1
    select call | PREPARE p AS SELECT 1; EXECUTE p
    select | SELECT ;
    select | SELECT version()
    select | SELECT pg_size_pretty(pg_total_relation_size('t'))
    select | SELECT pg_get_viewdef('v')
    select | SELECT obj_description('t'::regclass)
    select | SELECT current_setting('x')
    select | SELECT * FROM pg_stat_activity WHERE query LIKE 'DROP%'
    select | SELECT * FROM information_schema.tables
    select | SELECT has_table_privilege('t', 'DELETE')
    select | SELECT pg_is_in_recovery()
    select | SELECT to_regclass('drop')
    select | SELECT txid_current()
    select | SELECT md5('DROP TABLE t')
    select | SELECT * FROM json_to_recordset('[]') AS x(a int)
    select | SELECT * FROM unnest(ARRAY[1,2])
    select | SELECT * FROM t WHERE a ILIKE '%truncate%'
    select | SELECT a FROM t ORDER BY deleted DESC NULLS LAST
    select | SELECT 1 WHERE 'DELETE' <> 'DROP'
    select | SELECT * FROM t FOR SHARE SKIP LOCKED
    select | SELECT "t"."update" FROM "t"
    insert | INSERT INTO t VALUES ('DROP TABLE x')
    select insert | INSERT INTO t (a) SELECT b FROM u
    insert | INSERT INTO log (q) VALUES ('DELETE FROM t WHERE 1=1')
    insert | INSERT INTO t DEFAULT VALUES RETURNING *
    insert | INSERT INTO t VALUES (1) ON CONFLICT DO NOTHING
    insert update | INSERT INTO t VALUES (1) ON CONFLICT (a) DO UPDATE SET b = 2
    insert | COPY t (a, b) FROM '/tmp/x.csv' WITH CSV HEADER
    insert copy_program | COPY t FROM PROGRAM 'curl x'
    select copy_out | COPY (SELECT 1) TO '/tmp/x' WITH (FORMAT csv)
    select copy_out copy_program | COPY t TO PROGRAM 'gzip > x'
    update | UPDATE t SET a = 'DELETE' WHERE id IN (1, 2)
    update update_all | UPDATE ONLY t SET a = 1
    update update_all | UPDATE t SET a = 1 WHERE 1 = 1
    update update_all | UPDATE t SET a = 1 WHERE 'a' = 'a'
    update update_all | UPDATE t SET a = 1 WHERE NOT false
    update update_all | UPDATE t SET a = 1 WHERE id = id OR id IS NULL
    update update_all | UPDATE t SET a = 1 WHERE 2 > 1
    update update_all | UPDATE t SET a = 1 WHERE (((true)))
    update update_all | UPDATE t SET a = 1 WHERE id > 0 OR true
    update update_all | UPDATE t SET a = 1 RETURNING *
    update update_all | update/**/t/**/set/**/a=1
    update | UPDATE t SET a = 1 WHERE true AND id = 3
    update | UPDATE t SET a = u.a FROM u WHERE t.id = u.id
    select update update_all | WITH x AS (UPDATE t SET a = 1 RETURNING *) SELECT * FROM x
    delete | DELETE FROM t WHERE created < now() - interval '1 year'
    delete | DELETE FROM t USING u WHERE t.id = u.id
    delete | DELETE FROM t WHERE CURRENT OF c
    delete delete_all | DELETE FROM ONLY t
    delete delete_all | DELETE FROM t *
    delete delete_all | DELETE FROM "t"
    delete delete_all | DELETE FROM public.t AS x
    delete delete_all | DELETE FROM t WHERE TRUE
    delete delete_all | DELETE FROM t WHERE 1 <> 2
    delete delete_all | DELETE FROM t WHERE NULL IS NULL
    delete delete_all | DELETE FROM t WHERE 't'::boolean
    delete delete_all | DELETE FROM t WHERE id IS NOT NULL OR id IS NULL
    delete delete_all | DELETE FROM t WHERE id = 1 OR 1 = 1
    delete delete_all | DELETE FROM t WHERE NOT (1 = 2)
    delete delete_all | DELETE FROM t WHERE 5 BETWEEN 1 AND 10
    delete delete_all | DELETE FROM t WHERE 'a' LIKE '%'
    delete delete_all | DELETE FROM t WHERE coalesce(true, false)
    delete delete_all | DELETE FROM t RETURNING id
    delete delete_all | DELETE/* x */FROM/* y */t
    delete delete_all | dElEtE FrOm t
    select delete delete_all | WITH d AS (DELETE FROM t RETURNING *) SELECT count(*) FROM d
    select insert delete delete_all | WITH d AS (DELETE FROM t RETURNING *) INSERT INTO u SELECT * FROM d
    delete delete_all | EXPLAIN (ANALYZE TRUE) DELETE FROM t
    delete delete_all | EXPLAIN (COSTS, ANALYZE 1) DELETE FROM t
    delete delete_all | PREPARE p AS DELETE FROM t
    truncate | truncate "T"
    drop | DROP TABLE IF EXISTS a, b CASCADE
    drop | drop/**/table/**/t
    drop unknown | DROP--x
    drop | /* hi */ DROP TABLE t
    drop | DROP MATERIALIZED VIEW v
    drop | DROP SCHEMA s CASCADE
    drop | DROP DATABASE d WITH (FORCE)
    drop | DROP EXTENSION x CASCADE
    drop | DROP TABLESPACE x
    drop | DROP DOMAIN d
    drop grant | DROP OWNED BY u
    select drop | SELECT 1; DROP TABLE t
    select drop | SELECT 1;;DROP TABLE t
    select drop | BEGIN; DROP TABLE t; COMMIT
    select drop | SELECT ';'; DROP TABLE t
    select drop | SELECT $$;$$; DROP TABLE t
    select drop | SELECT E'\''; DROP TABLE t --'
    select drop | SELECT '\'; DROP TABLE t --'
    select drop | SELECT 1 /* /* */ */; DROP TABLE t
    select drop | SELECT "; "; DROP TABLE t
    drop call unknown | DO $$ BEGIN DROP TABLE t; END $$
    drop call unknown | DO $$ BEGIN EXECUTE 'DROP TABLE ' || x; END $$
    drop call unknown | DO $$ BEGIN EXECUTE format('DROP TABLE %I', x); END $$
    drop call unknown | DO $$ BEGIN EXECUTE $q$DROP TABLE t$q$; END $$
    call unknown insert | DO $$ BEGIN EXECUTE 'INSERT INTO t VALUES ($1)' USING 'DROP TABLE t'; RAISE NOTICE 'DROP TABLE t'; END $$
    call unknown | DO $$ BEGIN RAISE NOTICE 'DROP TABLE t'; END $$
    update update_all | UPDATE t SET a = u.a FROM u WHERE u.b = 1
    update | UPDATE t SET a = u.a FROM u WHERE u.b = 1 AND u.id = t.id
    update | UPDATE t AS x SET a = u.a FROM u WHERE u.id = x.id
    delete delete_all | DELETE FROM t USING u WHERE u.id = 1
    delete | DELETE FROM t USING u WHERE t_id = u.id
    delete delete_all select | DELETE FROM t WHERE id NOT IN (SELECT id FROM t WHERE 1 = 0)
    delete delete_all select | DELETE FROM t WHERE id = ANY (SELECT id FROM t)
    delete select | DELETE FROM t WHERE id = ANY (SELECT id FROM u)
    delete select | DELETE FROM t WHERE id NOT IN (SELECT min(id) FROM t GROUP BY a)
    delete delete_all select | WITH x AS (SELECT id FROM t) DELETE FROM t WHERE id IN (SELECT id FROM x)
    delete delete_all select | WITH x AS (SELECT * FROM t) DELETE FROM t WHERE id IN (SELECT x.id FROM x)
    delete select | WITH x AS (SELECT id FROM t WHERE a = 1) DELETE FROM t WHERE id IN (SELECT id FROM x)
    delete select | WITH t AS (SELECT id FROM t WHERE a = 1) DELETE FROM t WHERE id IN (SELECT id FROM t)
    delete select | DELETE FROM t WHERE id > ALL (SELECT a FROM u)
    delete select | DELETE FROM t WHERE id <> ALL (SELECT id FROM u WHERE a = 1)
    select call | SELECT f()
    drop alter | ALTER TABLE t DROP COLUMN IF EXISTS a CASCADE
    alter | ALTER TABLE t RENAME TO u
    alter | ALTER TABLE t RENAME COLUMN "drop" TO x
    alter | ALTER TABLE t ALTER COLUMN a TYPE text
    alter | ALTER DATABASE d SET x TO y
    alter grant | ALTER TABLE t OWNER TO u
    alter grant | ALTER ROLE r WITH LOGIN
    alter | COMMENT ON COLUMN t.a IS 'DROP TABLE t'
    alter | REINDEX DATABASE d
    create | CREATE TABLE "drop" (a int)
    select create | CREATE TABLE t AS SELECT 'DROP TABLE x'
    create | CREATE UNIQUE INDEX i ON t (a)
    select create | CREATE VIEW v AS SELECT 'DELETE FROM t'
    create | CREATE SCHEMA IF NOT EXISTS s
    create | CREATE TYPE t AS ENUM ('drop', 'delete')
    create grant | CREATE ROLE r LOGIN
    grant | GRANT SELECT ON t TO u
    grant | REVOKE DELETE ON t FROM u
    grant | ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO u
    insert update | MERGE INTO t USING u ON t.a = u.a WHEN MATCHED THEN UPDATE SET b = 1 WHEN NOT MATCHED THEN INSERT VALUES (1)
    delete | MERGE INTO t USING u ON t.a = u.a WHEN MATCHED THEN DELETE
    update | REFRESH MATERIALIZED VIEW v
    select drop copy_out call | SELECT dblink_exec('x', 'DROP TABLE t')
    select drop call | SELECT query_to_xml('DROP TABLE t', true, true, '')
    unknown | DORP TABLE t
    delete delete_all unknown | DELETE t
    drop unknown | SELEC 1; DROP TABLE t
    select unknown | SELECT 'unterminated
    """#

let moreMySQL = #"""
    select | SELECT 'DROP TABLE t'
    select | SELECT "DROP TABLE t"
    select | SELECT `drop table t` FROM `t`
    select | SELECT 1 # DROP TABLE t
    select | SELECT 1 /* DROP TABLE t */
    select | SELECT 'it''s DROP TABLE t'
    select | SELECT 'it\'s; DROP TABLE t'
    select | SELECT "a\"; DROP TABLE t"
    select | SELECT "a""; DROP TABLE t"
    select | SELECT * FROM t WHERE a = 'DELETE FROM t' LIMIT 5
    select | SELECT * FROM t WHERE a REGEXP 'drop|delete'
    select | SELECT @@version
    select | SELECT @a := 1
    select | SELECT SQL_CALC_FOUND_ROWS * FROM t
    select | SELECT REPLACE(a, 'DROP', '') FROM t
    select | SELECT INSERT('abc', 1, 2, 'DELETE')
    select | SELECT TRUNCATE(1.5, 0)
    select | SELECT LEFT(a, 3), RIGHT(a, 2), REPEAT('DROP', 3) FROM t
    select | SELECT CONCAT('DROP TABLE ', name) FROM t
    select | SELECT GROUP_CONCAT(a SEPARATOR '; DROP TABLE t') FROM t
    select | SELECT CHAR(68,82,79,80)
    select | SELECT x'44524f50'
    select | SELECT _utf8'DROP TABLE t'
    select | SELECT N'DELETE FROM t'
    select | SELECT * FROM t FORCE INDEX (i)
    select | SELECT a FROM t UNION SELECT 'TRUNCATE t'
    select | SHOW TABLES LIKE 'drop%'
    select | SHOW GRANTS FOR u
    select | SHOW FULL PROCESSLIST
    select | DESC t
    select | EXPLAIN FORMAT=JSON UPDATE t SET a=1
    select | USE db
    select | SET @x = 'DROP TABLE t'
    select | COMMIT AND CHAIN
    select | HELP 'DROP TABLE'
    select | CHECKSUM TABLE t
    select | CREATE TEMPORARY TABLE x (a int)
    select | DROP TEMPORARY TABLE x
    select | LOCK TABLES t READ
    select | UNLOCK TABLES
    insert | INSERT INTO t VALUES ('DROP TABLE x')
    insert | INSERT IGNORE INTO t SET a = 'DELETE'
    insert | INSERT INTO `drop` (`delete`) VALUES (1)
    insert | INSERT t VALUES (1)
    insert delete | REPLACE t SET a = 1
    insert | LOAD DATA INFILE '/x' INTO TABLE t FIELDS TERMINATED BY ','
    insert delete | LOAD DATA INFILE '/x' REPLACE INTO TABLE t
    insert | LOAD XML LOCAL INFILE 'x' INTO TABLE t
    update | UPDATE t SET a = 1 WHERE id = 1
    update | UPDATE LOW_PRIORITY IGNORE t SET a = 1 WHERE id = 1
    update update_all | UPDATE t SET a = 1 WHERE 1
    update update_all | UPDATE t SET a = 1 WHERE 1=1
    update update_all | UPDATE t SET a = 1 WHERE !0
    update update_all | UPDATE t SET a = 1 WHERE 'x' = 'x'
    update update_all | UPDATE `t` SET `a` = 1 -- WHERE id = 1
    update | UPDATE t SET a = 1 WHERE id = 1 LIMIT 10
    update | UPDATE t, u SET t.a = 1 WHERE t.id = u.id
    delete | DELETE LOW_PRIORITY QUICK FROM t WHERE id = 1
    delete delete_all | DELETE QUICK FROM t
    delete delete_all | DELETE IGNORE FROM t
    delete delete_all | DELETE FROM t WHERE 1 OR id = 5
    delete delete_all | DELETE FROM t WHERE id = 5 || 1
    delete delete_all | DELETE FROM t WHERE 1 <=> 1
    delete delete_all | DELETE FROM t /*! WHERE 1 */
    delete delete_all | DELETE FROM t#
    delete delete_all | DELETE FROM t /* WHERE id=1 */
    delete | DELETE t1 FROM t1 JOIN t2 ON t1.id = t2.id
    delete | DELETE FROM t1 USING t1 JOIN t2 ON t1.a = t2.a
    truncate | TRUNCATE TABLE `t`
    drop | DROP TABLES a, b
    drop | DROP TABLE IF EXISTS `a`.`b`
    drop | DROP SCHEMA d
    drop | DROP PROCEDURE p
    drop | DROP TRIGGER x
    drop | DROP EVENT e
    drop grant | DROP USER 'a'@'%'
    select drop | /*!DROP TABLE t*/
    select drop | /*!40000 DROP TABLE t */
    select drop | /*M! DROP TABLE t */
    select drop | /*M!100100 DROP TABLE t */
    drop | DROP/**/TABLE/**/t
    select drop | DROP /*!32302 TEMPORARY */ TABLE t
    select drop | SELECT 1; DROP TABLE t
    select drop | SELECT 1 --1; DROP TABLE t
    select drop | SELECT '\\'; DROP TABLE t; -- '
    select drop | SELECT 1 /* ; */; DROP TABLE t
    select drop | SELECT `;`; DROP TABLE t
    select drop | SELECT ';' ; DROP TABLE t
    select drop unknown | select 1 /*!; drop table t */
    select copy_out | SELECT * INTO OUTFILE '/tmp/x' FROM t
    select copy_out | SELECT a INTO DUMPFILE '/tmp/x' FROM t
    alter | ALTER TABLE t RENAME u
    drop alter | ALTER TABLE t DROP PARTITION p
    alter | REPAIR TABLE t
    create | CREATE TABLE t (`drop` int)
    create | CREATE TABLE t LIKE u
    create | CREATE DATABASE IF NOT EXISTS d
    select create | CREATE OR REPLACE VIEW v AS SELECT 'DROP'
    drop create | CREATE OR REPLACE TABLE t (a int)
    select grant | SET PASSWORD FOR u = 'x'
    call | FLUSH TABLES WITH READ LOCK
    alter call | KILL QUERY 5
    alter call | SHUTDOWN
    select drop call | PREPARE s FROM 'DROP TABLE t'; EXECUTE s
    select alter | SET GLOBAL read_only = 0
    create copy_program | CREATE FUNCTION f RETURNS STRING SONAME 'x.so'
    drop create | CREATE EVENT e ON SCHEDULE EVERY 1 DAY DO DROP TABLE t
    create delete delete_all | CREATE TRIGGER x BEFORE INSERT ON t FOR EACH ROW DELETE FROM u
    select delete delete_all | WITH x AS (SELECT 1) DELETE FROM t
    select | WITH x AS (SELECT 'DELETE FROM t') SELECT * FROM x
    unknown | FOO BAR
    """#

let moreSQLite = #"""
    select | SELECT 'DROP TABLE t'
    select | SELECT "DROP TABLE t"
    select | SELECT [DROP TABLE t] FROM t
    select | SELECT `DROP TABLE t` FROM t
    select | SELECT 'a''; DROP TABLE t; --'
    select | SELECT 1 /* DROP TABLE t */
    select | SELECT 1 /* DROP TABLE t
    select | SELECT x'44'
    select | SELECT * FROM t WHERE a GLOB '*drop*'
    select | SELECT * FROM t WHERE a MATCH 'delete'
    select | SELECT replace(a, 'DROP', '') FROM t
    select | SELECT count(*) FROM sqlite_master WHERE sql LIKE '%DROP%'
    select | SELECT json_extract(a, '$.drop') FROM t
    select | SELECT printf('%s', 'DELETE') FROM t
    select | SELECT * FROM t ORDER BY "drop"
    select | SELECT t."delete" FROM t
    select | VALUES (1), ('DROP TABLE t')
    select | WITH x(a) AS (VALUES ('DROP')) SELECT * FROM x
    select | WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n+1 FROM c LIMIT 5) SELECT * FROM c
    select | PRAGMA foreign_key_list('drop')
    select | PRAGMA integrity_check
    select | ROLLBACK
    select | SAVEPOINT "drop"
    select | RELEASE x
    select | REINDEX t
    select | DETACH x
    select | CREATE TEMP TABLE x (a)
    select | DROP TABLE temp.x
    insert | INSERT INTO t VALUES ('DROP TABLE x')
    insert update | INSERT INTO t VALUES (1) ON CONFLICT(a) DO UPDATE SET b = 1
    select insert | INSERT INTO t SELECT * FROM u
    update | UPDATE t SET a = 1 WHERE rowid = 1
    update update_all delete | UPDATE OR REPLACE t SET a = 1
    update update_all | UPDATE t SET a = 1 WHERE 1
    update update_all | UPDATE t SET a = 1 WHERE 1 = 1
    update update_all | UPDATE [t] SET [a] = 1
    update update_all | UPDATE t INDEXED BY i SET a = 1
    delete | DELETE FROM t WHERE a = 'x' AND 1
    delete delete_all | DELETE FROM [t]
    delete delete_all | DELETE FROM main.t
    delete delete_all | DELETE FROM t WHERE 1 == 1
    delete delete_all | DELETE FROM t WHERE 1 IS 1
    delete delete_all | DELETE FROM t WHERE rowid = rowid OR 1
    delete delete_all | DELETE FROM t WHERE NOT NULL IS 5
    delete delete_all | DELETE FROM t -- WHERE id = 1
    select delete delete_all | WITH x AS (SELECT 1) DELETE FROM t
    drop | DROP TABLE IF EXISTS "t"
    drop | DROP TRIGGER x
    drop | drop/*x*/table t
    select drop | SELECT 1; DROP TABLE t
    select drop | SELECT 'a\'; DROP TABLE t --'
    select drop | SELECT [;]; DROP TABLE t
    select drop | SELECT "a"";"; DROP TABLE t
    alter | ALTER TABLE t ADD COLUMN a
    alter | ALTER TABLE t RENAME TO u
    create | CREATE TABLE t ("drop" TEXT)
    select create | CREATE VIEW v AS SELECT 'DELETE FROM t'
    create delete delete_all | CREATE TRIGGER x AFTER INSERT ON t BEGIN DELETE FROM u; END
    copy_out | ATTACH DATABASE 'x.db' AS x
    select | ATTACH ':memory:' AS x
    delete select | DELETE FROM t WHERE rowid NOT IN (SELECT min(rowid) FROM t GROUP BY a)
    delete delete_all select | DELETE FROM t WHERE rowid IN (SELECT min(rowid) FROM t GROUP BY rowid)
    delete delete_all select | DELETE FROM t WHERE rowid NOT IN (SELECT rowid FROM t WHERE 1 = 0)
    delete select | DELETE FROM t WHERE rowid NOT IN (SELECT rowid FROM t)
    copy_out | ATTACH ':memory:x' AS y
    alter | PRAGMA journal_mode = WAL
    select copy_out call | SELECT writefile('x', 'y')
    unknown | SELEC 1
    drop unknown | FOO; DROP TABLE t
    """#
