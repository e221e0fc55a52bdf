/// Statements judged by hand before anything read them, each dialect for itself where they differ: odd ways to write what takes everything away, and look-alikes.

/// The same in every dialect.
let everywhereByHand = #"""
    delete delete_all | DELETE FROM t WHERE a % 1 = 0
    delete delete_all | DELETE FROM t WHERE (a & 0) = 0
    delete | DELETE FROM t WHERE a % 2 = 0
    delete | DELETE FROM t WHERE (a & 1) = 1
    update update_all | UPDATE t SET a = 1 WHERE (0 & a) = 0
    delete delete_all | DELETE FROM t WHERE a > '-infinity'
    delete delete_all | DELETE FROM t WHERE a <= 'infinity'
    delete | DELETE FROM t WHERE a > 'infinity'
    delete | DELETE FROM t WHERE (a, b) = (c, d)
    delete | DELETE FROM t WHERE (a, b) IN ((1, 2), (3, 4))
    delete | DELETE FROM t WHERE (a, b) <> (c, d)
    delete delete_all | DELETE FROM t WHERE (a, b) = (a, b)
    delete delete_all | DELETE FROM t WHERE (1, 2) = (1, 2)
    select delete delete_all | DELETE FROM t WHERE (id, 1) IN (SELECT id, 1 FROM t)
    select delete | DELETE FROM t WHERE (id, 1) IN (SELECT id, 1 FROM t WHERE a = 5)
    select delete delete_all | DELETE FROM t WHERE id IN (SELECT max(id) FROM t GROUP BY id)
    select delete | DELETE FROM t WHERE id IN (SELECT max(id) FROM t WHERE a = 1 GROUP BY id)
    select delete | DELETE FROM t WHERE id NOT IN (SELECT max(id) FROM t)
    drop alter | ALTER TABLE t DROP COLUMN c
    delete | DELETE FROM t WHERE id IN (1, 2)
    delete delete_all | DELETE FROM t WHERE id IN (id, 5)
    delete delete_all | DELETE FROM t WHERE id >= id
    delete delete_all | DELETE FROM t WHERE id <= id
    delete delete_all | DELETE FROM t WHERE NOT (id <> id)
    delete delete_all | DELETE FROM t WHERE (id, a) = (id, a)
    delete delete_all | DELETE FROM t WHERE length('a') = 1
    delete delete_all | DELETE FROM t WHERE 1 IS NOT NULL
    delete delete_all | DELETE FROM t WHERE 'x' <> 'y'
    delete delete_all | DELETE FROM t WHERE 5 % 2 = 1
    delete delete_all | DELETE FROM t WHERE 2 * 3 = 6
    delete delete_all | DELETE FROM t WHERE 1 + 1 > 1
    delete delete_all | DELETE FROM t WHERE 'abc' LIKE 'a%'
    delete delete_all | DELETE FROM t WHERE lower('A') = 'a'
    delete delete_all | DELETE FROM t WHERE greatest(1, 2) = 2
    delete delete_all | DELETE FROM t WHERE coalesce(NULL, true)
    delete delete_all | DELETE FROM t WHERE nullif(1, 2) = 1
    delete delete_all | DELETE FROM t WHERE CASE id WHEN 1 THEN true ELSE true END
    select delete delete_all | DELETE FROM t WHERE id IN (SELECT id FROM t WHERE true)
    select delete delete_all | DELETE FROM t WHERE id IN (SELECT t.id FROM t)
    select delete delete_all | DELETE FROM t WHERE id IN (SELECT id FROM t UNION SELECT id FROM t)
    select delete delete_all | DELETE FROM t WHERE id IN (SELECT x.id FROM t x)
    select delete delete_all | DELETE FROM t WHERE EXISTS (SELECT 1 FROM t)
    select delete delete_all | DELETE FROM t WHERE EXISTS (SELECT 1 FROM t AS x WHERE x.id = x.id)
    select delete delete_all | DELETE FROM t WHERE (SELECT count(*) FROM t) > 0
    select delete delete_all | DELETE FROM t WHERE (SELECT count(*) FROM t) >= 0
    select delete delete_all | DELETE FROM t WHERE (SELECT 1) = 1
    select delete delete_all | DELETE FROM t WHERE NOT EXISTS (SELECT 1 WHERE false)
    delete delete_all | DELETE FROM t WHERE (true)
    delete delete_all | DELETE FROM t WHERE ((1 = 1))
    delete delete_all | DELETE FROM t WHERE (1 = 1) IS NOT FALSE
    delete delete_all | DELETE FROM t WHERE id = 1 OR id <> 1 OR id IS NULL
    delete delete_all | DELETE FROM t WHERE id > 5 OR id <= 5
    delete delete_all | DELETE FROM t WHERE id = 1 OR NOT id = 1
    delete delete_all | DELETE FROM t WHERE true OR id = 1
    delete delete_all | DELETE FROM t WHERE id = 1 OR 1 < 2
    delete delete_all | DELETE FROM t WHERE now() = now()
    delete delete_all | DELETE FROM t WHERE true = true
    delete delete_all | DELETE FROM t WHERE NOT (1 = 2 OR false)
    delete delete_all | DELETE FROM t WHERE 1 = 1 AND id = id AND 'a' = 'a'
    delete delete_all | DELETE FROM t WHERE abs(id) >= 0
    delete delete_all | DELETE FROM t WHERE id - id = 0
    delete delete_all | DELETE FROM t WHERE id = (id)
    delete delete_all | DELETE FROM t WHERE id = +id
    delete delete_all | DELETE FROM t WHERE - id = - id
    select delete delete_all | DELETE FROM t WHERE id = (SELECT id)
    delete | DELETE FROM t WHERE a = b
    delete | DELETE FROM t WHERE id <> id
    delete | DELETE FROM t WHERE id < id
    delete | DELETE FROM t WHERE NOT id = id
    delete | DELETE FROM t WHERE id IN (other)
    select delete | DELETE FROM t WHERE id IN (SELECT id FROM u)
    select delete | DELETE FROM t WHERE id IN (SELECT id FROM t WHERE created < now())
    select delete | DELETE FROM t WHERE id IN (SELECT max(id) FROM t)
    select delete | DELETE FROM t WHERE id IN (SELECT id FROM t LIMIT 10)
    select delete | DELETE FROM t WHERE EXISTS (SELECT 1 FROM u WHERE u.id = t.id)
    select delete | DELETE FROM t WHERE NOT EXISTS (SELECT 1 FROM u WHERE u.id = t.id)
    delete | DELETE FROM t WHERE name = ''
    delete | DELETE FROM t WHERE status IN ('DROP', 'DELETE')
    delete | DELETE FROM t WHERE id BETWEEN 1 AND 100
    delete | DELETE FROM t WHERE id = 1 AND true
    delete | DELETE FROM t WHERE false OR id = 1
    delete | DELETE FROM t WHERE id IS NULL
    delete | DELETE FROM t WHERE active
    delete | DELETE FROM t WHERE NOT active
    select delete | DELETE FROM t WHERE (SELECT count(*) FROM u WHERE u.id = t.id) > 3
    select delete | DELETE FROM t WHERE id = (SELECT min(id) FROM t)
    delete | DELETE FROM t WHERE coalesce(a, 0) = 0
    delete | DELETE FROM t WHERE lower(name) = 'x'
    delete | DELETE FROM t WHERE length(name) > 10
    delete | DELETE FROM t WHERE id % 2 = 0
    delete | DELETE FROM t WHERE CASE WHEN id = 1 THEN true ELSE false END
    delete | DELETE FROM t WHERE 'a' = name
    delete | DELETE FROM t WHERE 1 = 2
    """#

let postgresByHand = #"""
    delete | DELETE FROM t WHERE random() < 0.1
    delete | DELETE FROM t WHERE random() = random()
    delete delete_all | DELETE FROM t WHERE random() < 1
    delete delete_all | DELETE FROM t WHERE random() <> 5
    delete delete_all | DELETE FROM t WHERE length(gen_random_uuid()::text) = 36
    delete delete_all | DELETE FROM t WHERE random() >= 0
    delete | DELETE FROM t WHERE a[1] = b[2]
    delete | DELETE FROM t WHERE (CASE WHEN a THEN 1 ELSE 2 END) = (CASE WHEN b THEN 1 ELSE 2 END)
    delete delete_all | DELETE FROM t WHERE CASE WHEN a THEN true ELSE 1 = 1 END
    delete | DELETE FROM t WHERE greatest(a, b) = greatest(c, d)
    delete delete_all | DELETE FROM t WHERE ROW(a) = ROW(a)
    select delete | DELETE FROM t WHERE (id, 2) IN (SELECT id, 1 FROM t)
    select delete delete_all | DELETE FROM t WHERE (id, a) IN (SELECT * FROM t)
    select delete delete_all | DELETE FROM t WHERE id = ANY (ARRAY(SELECT id FROM t))
    select delete | DELETE FROM t WHERE id = ANY (ARRAY(SELECT id FROM t WHERE a = 1))
    select delete | DELETE FROM t WHERE EXISTS (SELECT 1 FROM u WHERE u.id = t.id) OR NOT EXISTS (SELECT 1 FROM v WHERE v.id = t.id)
    delete delete_all | DELETE FROM t USING t x WHERE t.id = x.id
    delete delete_all | DELETE FROM t a USING t b WHERE a.id = b.id
    delete | DELETE FROM t a USING t b WHERE a.id < b.id AND a.mail = b.mail
    delete | DELETE FROM t a USING t b WHERE a.parent = b.id
    update update_all | UPDATE t a SET x = 1 FROM t b WHERE a.id = b.id
    delete | MERGE INTO t USING u ON true WHEN MATCHED AND t.x = 1 THEN DELETE
    delete delete_all | MERGE INTO t USING u ON true WHEN MATCHED AND u.x = 1 THEN DELETE
    delete delete_all | MERGE INTO t USING u ON true WHEN MATCHED AND 1 = 1 THEN DELETE
    select | SELECT 1 /* a /* b /* c */ */ ; DROP TABLE t */
    select unknown | SELECT 1 /* a /* b */ ; DROP TABLE t
    select drop | SELECT 1 /* a /* b */ */ ; DROP TABLE t
    select | SELECT 'a' -- ' ; DROP TABLE t
    select | SELECT $a$ $b$ ; DROP TABLE t; $b$ $a$
    select drop | SELECT $a$ $b$ $a$; DROP TABLE t --$b$
    drop | DrOp tAbLe "T"
    drop | DROP TABLE IF EXISTS ONLY_ME CASCADE
    drop | DROP EXTENSION postgis CASCADE
    drop | DROP TYPE t CASCADE
    drop | DROP TABLESPACE ts
    drop | DROP SERVER s CASCADE
    drop | DROP PUBLICATION p
    alter | ALTER TABLE t DROP CONSTRAINT c
    alter | ALTER TABLE t DETACH PARTITION p
    alter | ALTER TABLE t ADD COLUMN c int
    alter | ALTER TABLE t ALTER COLUMN c SET DEFAULT 1
    alter | ALTER TYPE e ADD VALUE 'x'
    alter | ALTER SEQUENCE s RESTART WITH 1
    alter | ALTER TABLE t DISABLE TRIGGER ALL
    alter grant | ALTER ROLE r SUPERUSER
    grant | ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO PUBLIC
    alter | ALTER SYSTEM SET wal_level = minimal
    alter copy_program | ALTER SYSTEM SET archive_command = 'rm -rf /'
    alter | ALTER DATABASE d SET work_mem = '1GB'
    truncate | TRUNCATE ONLY t RESTART IDENTITY CASCADE
    delete delete_all | DELETE FROM t WHERE NOT FALSE
    delete delete_all | DELETE FROM t WHERE NOT NOT TRUE
    delete delete_all | DELETE FROM t WHERE id IS NOT NULL OR 1=1
    delete delete_all | DELETE FROM t WHERE 'a' = 'a'
    delete delete_all | DELETE FROM t WHERE 2 > 1 AND 1 < 2
    delete delete_all | DELETE FROM t WHERE t.id = t.id
    delete delete_all | DELETE FROM t WHERE id = id AND TRUE
    delete delete_all | DELETE FROM t WHERE (id > 0 OR id <= 0)
    delete delete_all | DELETE FROM t WHERE id IS NULL OR id IS NOT NULL
    delete delete_all | DELETE FROM t WHERE coalesce(1, 0) = 1
    delete delete_all | DELETE FROM t WHERE 1::bool
    delete delete_all | DELETE FROM t WHERE '1'
    delete delete_all | DELETE FROM t WHERE name ~ ''
    delete delete_all | DELETE FROM t WHERE id = ANY(ARRAY[id])
    delete delete_all | DELETE FROM t USING u
    delete delete_all | DELETE FROM t WHERE CASE WHEN true THEN true END
    delete delete_all | DELETE FROM t WHERE id = id OR false
    delete delete_all unknown | DELETE FROM ONLY t *
    delete | DELETE FROM t WHERE id = 7
    delete | DELETE FROM t WHERE id = 7 AND true
    delete | DELETE FROM t WHERE created < now() - interval '1 day'
    delete | DELETE FROM t WHERE 1 = 0 OR id = 3
    select update update_all | UPDATE t SET a = (SELECT 1 WHERE false)
    update update_all | UPDATE t SET (a, b) = (1, 2) WHERE 1=1
    update update_all | UPDATE t SET a = 'x WHERE id = 1'
    update | UPDATE t SET a = 1 FROM u WHERE t.id = u.id
    update | UPDATE t SET a = a + 1 WHERE id BETWEEN 1 AND 2
    insert update | INSERT INTO t VALUES (1) ON CONFLICT (id) DO UPDATE SET a = 2
    select delete | WITH x AS (DELETE FROM t WHERE id = 1 RETURNING *) SELECT * FROM x
    select insert delete delete_all | WITH x AS (DELETE FROM t RETURNING *) INSERT INTO u SELECT * FROM x
    select update update_all | WITH x AS (UPDATE t SET a = 1 RETURNING 1) SELECT count(*) FROM x
    insert | MERGE INTO t USING u ON t.id = u.id WHEN NOT MATCHED THEN INSERT VALUES (1)
    update | MERGE INTO t USING u ON t.id = u.id WHEN MATCHED THEN UPDATE SET a = 1
    delete | MERGE INTO t USING u ON t.id = u.id WHEN MATCHED THEN DELETE
    delete delete_all | MERGE INTO t USING u ON true WHEN MATCHED THEN DELETE
    update | REFRESH MATERIALIZED VIEW CONCURRENTLY v
    alter | REINDEX DATABASE CONCURRENTLY d
    alter | CLUSTER t USING i
    grant | GRANT admin TO u
    grant | REVOKE ALL ON t FROM PUBLIC
    select grant | SET ROLE postgres
    select grant | RESET ROLE
    select copy_out | COPY (SELECT * FROM t) TO STDOUT
    select alter call | SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    select alter call | SELECT pg_cancel_backend(1)
    select call | SELECT set_config('x', 'y', false)
    select copy_out call | SELECT pg_stat_file('x')
    select alter call | SELECT pg_rotate_logfile()
    select alter call | SELECT pg_switch_wal()
    select copy_out call | SELECT pg_read_file('x')
    delete delete_all call unknown | DO $$ BEGIN DELETE FROM t; END $$
    copy_program call unknown | DO LANGUAGE plpython3u $$ import os $$
    call unknown | EXECUTE p
    delete delete_all | EXPLAIN (ANALYZE) DELETE FROM t
    select | EXPLAIN (FORMAT JSON) SELECT 1
    create | CREATE TABLE t (id int)
    select create | CREATE TABLE t AS SELECT * FROM u
    create | CREATE INDEX ON t (a)
    create grant | CREATE ROLE r SUPERUSER
    create | CREATE EXTENSION pg_trgm
    create | CREATE TRIGGER x BEFORE DELETE ON t FOR EACH ROW EXECUTE FUNCTION f()
    delete delete_all create | CREATE RULE r AS ON SELECT TO t DO INSTEAD DELETE FROM u
    create | CREATE EVENT TRIGGER x ON ddl_command_end EXECUTE FUNCTION f()
    select | LOCK TABLE t
    select | BEGIN; COMMIT
    call | NOTIFY x, 'DROP TABLE t'
    select | SET statement_timeout = 0
    select unknown | SELECT * FROM t WHERE
    drop unknown | DROP
    truncate unknown | TRUNCATE TABLE t,
    select unknown | SELECT 'abc
    select unknown | SELECT "abc
    drop | DROP TABLE t;;;
    select | ;;;SELECT 1
    drop | /**/;/**/DROP TABLE t
    drop unknown | U&"x" IS NOT A STATEMENT; DROP TABLE t
    copy_program call | LOAD 'x.so'
    select | DECLARE c CURSOR FOR SELECT * FROM t
    select call | SELECT f(x) FROM t
    select | SELECT lower(x), count(*) FROM t GROUP BY 1
    select | SELECT * FROM t WHERE x = 'DELETE FROM t' OR true
    delete delete_all | DELETE FROM t WHERE id = ANY('{1}') OR true
    delete delete_all | DELETE FROM t WHERE id = id::int
    delete delete_all | DELETE FROM t WHERE NOT id IS DISTINCT FROM id
    delete delete_all | DELETE FROM t WHERE ROW(1) = ROW(1)
    delete delete_all | DELETE FROM t WHERE random() >= 0
    delete delete_all | DELETE FROM t WHERE current_user = current_user
    delete delete_all | DELETE FROM t WHERE current_user IS NOT NULL
    delete delete_all | DELETE FROM t WHERE version() LIKE '%'
    delete delete_all | DELETE FROM t WHERE 'abc' ~ 'b'
    select delete delete_all | DELETE FROM t WHERE id IN (SELECT id FROM public.t)
    select delete delete_all | DELETE FROM t WHERE EXISTS (SELECT FROM (VALUES (1)) v)
    delete delete_all | DELETE FROM t WHERE '1'::int = 1
    delete delete_all | DELETE FROM t WHERE 1::text = '1'
    delete delete_all | DELETE FROM t WHERE DATE '2020-01-01' < now()
    delete delete_all | DELETE FROM t WHERE id::text LIKE '%'
    delete delete_all | DELETE FROM t WHERE id::text ILIKE '%%'
    delete delete_all | DELETE FROM t WHERE name SIMILAR TO '%'
    delete delete_all | DELETE FROM t WHERE name ~* ''
    delete delete_all | DELETE FROM t WHERE position('' in name) >= 0
    delete delete_all | DELETE FROM t WHERE ctid IS NOT NULL
    delete delete_all | DELETE FROM t WHERE ctid = ctid
    delete delete_all | DELETE FROM t WHERE tableoid = tableoid
    delete delete_all | DELETE FROM t WHERE xmin IS NOT NULL
    delete delete_all | DELETE FROM t WHERE t = t
    delete delete_all | DELETE FROM t WHERE bool 'yes'
    delete delete_all | DELETE FROM t WHERE 'on'::bool
    delete delete_all call | DELETE FROM t WHERE int4eq(1, 1)
    delete delete_all call | DELETE FROM t WHERE texteq('a', 'a')
    delete delete_all call | DELETE FROM t WHERE boolin('t')
    delete delete_all | DELETE FROM t WHERE id OPERATOR(pg_catalog.=) id
    delete delete_all | DELETE FROM t WHERE ARRAY[1] <@ ARRAY[1,2]
    delete delete_all | DELETE FROM t WHERE '{}'::jsonb <@ '{"a":1}'
    delete delete_all | DELETE FROM t WHERE num_nulls(1) = 0
    delete delete_all | DELETE FROM t WHERE to_date('2020','YYYY') IS NOT NULL
    delete delete_all | DELETE FROM t WHERE id = ALL(ARRAY[id])
    delete delete_all | DELETE FROM t WHERE id = ANY(ARRAY[id, 3])
    delete delete_all | DELETE FROM t WHERE 1 = ANY(ARRAY[1,2])
    delete | DELETE FROM t WHERE id = ANY(ARRAY[1, 2])
    delete | DELETE FROM t WHERE id = ANY(ARRAY[other])
    """#

let mysqlByHand = #"""
    delete | DELETE FROM t WHERE rand() < 0.1
    delete delete_all | DELETE FROM t WHERE rand() < 1
    drop create | CREATE OR REPLACE DATABASE d
    create | CREATE DATABASE d
    select delete delete_all | DELETE FROM t WHERE id NOT IN (SELECT id FROM u WHERE 0)
    select delete | DELETE FROM t WHERE id NOT IN (SELECT id FROM u WHERE a = 1)
    select delete delete_all | WITH x AS (SELECT id FROM t) DELETE FROM t WHERE id IN (SELECT id FROM x)
    select delete | WITH x AS (SELECT id FROM t WHERE a = 3) DELETE FROM t WHERE id IN (SELECT id FROM x)
    select delete delete_all | WITH y AS (SELECT id FROM t WHERE a = 3), x AS (SELECT id FROM t) DELETE FROM t WHERE id IN (SELECT id FROM x)
    select unknown | SELECT 'x
    drop | DROP
    select drop | /*!50000 DROP TABLE x */
    select drop | /*!DROP TABLE x*/
    drop | DROP/*!99999 FOO */TABLE x
    select drop unknown | SELECT 1 /*! ; DROP TABLE x */
    select | SELECT 1 /* ; DROP TABLE x */
    select | SELECT '#'; -- DROP TABLE y
    select | SELECT "a\"; DROP TABLE x; --"
    select | SELECT 'a\\', 'b'
    select drop | SELECT 'a\\'; DROP TABLE x; -- '
    select | SELECT `a``; DROP TABLE x`
    drop | DROP TABLE `a`.`b`
    drop | DROP VIEW IF EXISTS v
    drop | DROP TRIGGER t
    drop | DROP TABLESPACE ts
    drop | DROP SERVER s
    drop | DROP FUNCTION f
    select | DROP PREPARE p
    drop alter | ALTER TABLE t DROP c
    drop alter | ALTER TABLE t DROP PARTITION p0
    truncate alter | ALTER TABLE t TRUNCATE PARTITION ALL
    alter | ALTER TABLE t ADD c INT
    alter | ALTER TABLE t ENGINE=InnoDB
    alter | ALTER TABLE t AUTO_INCREMENT = 1
    alter | ALTER TABLE t DISABLE KEYS
    alter | ALTER DATABASE d CHARACTER SET utf8
    drop alter | ALTER TABLE t DISCARD TABLESPACE
    truncate | TRUNCATE TABLE d.t
    delete delete_all | DELETE LOW_PRIORITY QUICK IGNORE FROM t
    delete delete_all | DELETE FROM t WHERE NOT FALSE
    delete delete_all | DELETE FROM t WHERE 1 OR id = 3
    delete delete_all | DELETE FROM t WHERE 'a' = 'a' AND 2 = 2
    delete delete_all | DELETE FROM t WHERE id IS NOT NULL OR TRUE
    delete delete_all | DELETE FROM t WHERE id LIKE '%'
    delete delete_all | DELETE FROM t WHERE 1 XOR 0
    delete delete_all | DELETE FROM t ORDER BY id LIMIT 1000000
    delete delete_all | DELETE t FROM t
    delete delete_all | DELETE FROM t USING t
    delete delete_all | DELETE FROM t WHERE IF(1, 1, 0)
    delete delete_all | DELETE FROM t WHERE 0x1
    delete delete_all | DELETE FROM t WHERE 1.5
    delete delete_all | DELETE FROM t WHERE -1
    delete delete_all | DELETE FROM t WHERE ~0
    delete | DELETE FROM t WHERE id = 3
    delete | DELETE FROM t WHERE id = 3 LIMIT 1
    delete | DELETE FROM t WHERE FALSE OR id = 1
    delete | DELETE FROM t WHERE id = 'id'
    delete | DELETE FROM t WHERE name LIKE '%x%'
    delete | DELETE t FROM t JOIN u ON t.id = u.id
    delete | DELETE FROM t WHERE id = 1 AND 1
    update update_all | UPDATE LOW_PRIORITY t SET a = 1 ORDER BY b
    update | UPDATE t SET a = 'WHERE' WHERE id = 2
    insert | INSERT t SET a = 1
    insert | INSERT IGNORE INTO t VALUES (1)
    insert update | INSERT INTO t VALUES (1) AS n ON DUPLICATE KEY UPDATE a = n.a
    insert | INSERT INTO t TABLE u
    insert | LOAD DATA INFILE '/x' INTO TABLE t
    insert | LOAD DATA LOCAL INFILE '/etc/passwd' INTO TABLE t
    insert | LOAD XML INFILE 'x' INTO TABLE t
    insert delete | LOAD DATA INFILE 'x' REPLACE INTO TABLE t
    select copy_out | SELECT * FROM t INTO OUTFILE '/x'
    select copy_out call | SELECT LOAD_FILE('/x')
    select | SELECT 'LOAD_FILE(x)'
    select | TABLE t
    select | SHOW CREATE TABLE `drop`
    select | SET NAMES utf8
    select | SET @a = 1
    select alter | SET GLOBAL general_log = 0
    select grant | SET ROLE ALL
    create grant | CREATE USER u
    create | CREATE TABLE t (id INT)
    select create | CREATE TABLE t AS SELECT * FROM u
    delete delete_all create | CREATE EVENT e ON SCHEDULE EVERY 1 DAY DO DELETE FROM t
    create copy_program | CREATE FUNCTION sys_exec RETURNS INT SONAME 'x.so'
    create copy_program | INSTALL PLUGIN x SONAME 'x.so'
    drop alter | UNINSTALL PLUGIN x
    select | DO sleep(1)
    select | DO 1
    call unknown | EXECUTE p
    select unknown | PREPARE p FROM @x
    select drop | PREPARE p FROM 'DROP TABLE t'
    drop call | RESET MASTER
    select | CHECK TABLE t
    select | LOCK TABLES t WRITE
    select | HELP 'drop'
    delete delete_all | DELETE t WHERE
    select delete | WITH x AS (SELECT 1 AS id) DELETE FROM t WHERE id IN (SELECT id FROM x)
    delete delete_all | DELETE FROM t WHERE rand() >= 0
    delete delete_all | DELETE FROM t WHERE "a"="a"
    delete delete_all | DELETE FROM t WHERE 1 && 1
    delete delete_all | DELETE FROM t WHERE 1 || 0
    delete delete_all | DELETE FROM t WHERE id REGEXP ".*"
    delete delete_all | DELETE FROM t WHERE strcmp("a","b")
    delete delete_all | DELETE FROM t WHERE 1 IS TRUE
    """#
