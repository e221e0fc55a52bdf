/// The same for MySQL and MariaDB, and for SQLite.
let mysqlTable = #"""
    select | SELECT 1
    select | SELECT 'it\'s; DROP TABLE x; -- '
    select | SELECT "DELETE FROM users"
    select | SELECT `drop`, `delete` FROM `truncate`
    select | SELECT 1 # ; DROP TABLE users
    select | SELECT 1 -- ; DROP TABLE users
    select | SELECT 1--1
    select | SELECT 1 /* DROP TABLE users */
    select drop | SELECT 1; DROP TABLE users
    select | SELECT * FROM t WHERE note = 'DELETE FROM t'
    select | SELECT count(*), date_format(d, '%Y') FROM t GROUP BY 2
    select | (SELECT 1) UNION (SELECT 2)
    select | WITH a AS (SELECT 1) SELECT * FROM a
    select | SELECT if(a, b, c), ifnull(a, 0), substring_index(a, '.', 1) FROM t
    select | SELECT * FROM t LOCK IN SHARE MODE
    select call | SELECT purge_all()
    select call | SELECT app.purge_all()
    select copy_out | SELECT * FROM t INTO OUTFILE '/tmp/x'
    select copy_out | SELECT * INTO DUMPFILE '/tmp/x' FROM t
    select | SELECT a INTO @x FROM t
    select | SELECT 'INTO OUTFILE'
    select copy_out call | SELECT LOAD_FILE('/etc/passwd')
    select | SELECT load_file FROM t
    select copy_program call | SELECT sys_exec('id')
    insert | INSERT INTO t (a, b) VALUES (1, 'DROP TABLE x')
    insert update | INSERT INTO t VALUES (1) ON DUPLICATE KEY UPDATE a = 1
    select insert | INSERT INTO t SELECT * FROM s
    insert delete | REPLACE INTO t VALUES (1)
    select | SELECT REPLACE(a, 'x', 'y') FROM t
    update | UPDATE t SET a = 1 WHERE id = 5
    update update_all | UPDATE t SET a = 1
    update update_all | UPDATE t SET a = 1 LIMIT 10
    update update_all | UPDATE t SET a = 'WHERE id = 1'
    update update_all | UPDATE t SET a = 1 # WHERE id = 1
    update | UPDATE t JOIN s ON s.id = t.id SET t.a = s.a
    update update_all | UPDATE t LEFT JOIN s ON s.id = t.id SET t.a = s.a
    update update_all | UPDATE t, s SET t.a = s.a
    update | UPDATE t, s SET t.a = s.a WHERE t.id = s.id
    delete | DELETE FROM t WHERE id = 5
    delete delete_all | DELETE FROM t
    delete delete_all | DELETE FROM t ORDER BY a LIMIT 10
    delete | DELETE a FROM a JOIN b ON a.id = b.id
    delete delete_all | DELETE a, b FROM a JOIN b
    delete | DELETE FROM a USING a JOIN b ON a.id = b.id WHERE b.x = 1
    delete delete_all | DELETE FROM t WHERE 1
    delete delete_all | DELETE FROM t WHERE 1=1
    delete delete_all | DELETE FROM t WHERE 'a'='a'
    delete delete_all | DELETE FROM t WHERE id = id
    delete | DELETE FROM t WHERE id = 1
    delete delete_all | DELETE FROM t WHERE id = 1 OR 1
    delete delete_all | DELETE FROM t WHERE id = 1 || 1=1
    delete | DELETE FROM t WHERE id = 1 && 1=1
    delete delete_all | DELETE FROM t WHERE NOT 0
    delete | DELETE FROM t WHERE 0
    delete delete_all | DELETE FROM t WHERE !0
    delete delete_all | DELETE FROM t WHERE x IS NULL OR x IS NOT NULL
    delete | DELETE FROM t WHERE x IS NULL
    delete delete_all | DELETE FROM t WHERE name LIKE '%'
    delete | DELETE FROM t WHERE name LIKE 'a%'
    delete | DELETE FROM t WHERE name NOT LIKE 'a%'
    delete delete_all | DELETE FROM t WHERE name REGEXP '.*'
    delete | DELETE FROM t WHERE a BETWEEN 1 AND 2 AND b IN (1, 2)
    delete delete_all | DELETE FROM t WHERE id <=> id
    delete | DELETE FROM t WHERE created < NOW() - INTERVAL 30 DAY
    delete | DELETE FROM t WHERE date(created) = '2020-01-01'
    delete delete_all | DELETE FROM t WHERE NOW() > '2000-01-01'
    delete delete_all | DELETE FROM t WHERE @x = 1
    delete | DELETE FROM t WHERE id = @x
    delete delete_all | DELETE FROM t WHERE id = 1 /*! OR 1=1 */
    delete delete_all | DELETE FROM t /*!99999 WHERE id = 1 */
    delete | DELETE FROM t /*! IGNORE */ WHERE id = 1
    select drop | /*!50000 DROP TABLE t */
    drop | DROP /*!50000 TABLE */ t
    select | DROP TEMPORARY TABLE t
    drop | DROP TABLE IF EXISTS `t`
    drop | DROP DATABASE d
    drop grant | DROP USER u
    drop | DROP INDEX i ON t
    truncate | TRUNCATE t
    truncate | TRUNCATE TABLE t
    create | CREATE TABLE t (id int, name varchar(10) DEFAULT 'drop')
    select | CREATE TEMPORARY TABLE t (id int)
    select create | CREATE TABLE t SELECT * FROM s
    create drop | CREATE OR REPLACE TABLE t (id int)
    create | CREATE INDEX i ON t (a)
    create | CREATE DATABASE d
    create grant | CREATE USER u IDENTIFIED BY 'x'
    create copy_program | CREATE FUNCTION f RETURNS STRING SONAME 'udf.so'
    create delete | CREATE TRIGGER x AFTER INSERT ON t FOR EACH ROW DELETE FROM s WHERE id = 1
    alter | ALTER TABLE t ADD COLUMN a int
    alter drop | ALTER TABLE t DROP COLUMN a
    alter drop | ALTER TABLE t DROP a
    alter | ALTER TABLE t DROP INDEX i
    alter truncate | ALTER TABLE t TRUNCATE PARTITION p
    alter grant | ALTER USER u IDENTIFIED BY 'x'
    alter | RENAME TABLE a TO b
    alter grant | RENAME USER a TO b
    grant | GRANT ALL ON *.* TO u
    grant | REVOKE ALL ON *.* FROM u
    insert | LOAD DATA LOCAL INFILE 'x' INTO TABLE t
    insert | LOAD DATA INFILE '/etc/passwd' INTO TABLE t
    insert delete | LOAD DATA LOCAL INFILE 'x' REPLACE INTO TABLE t
    select | HANDLER t OPEN
    select | HANDLER t READ FIRST
    call | CALL p()
    select call | DO purge_all()
    select | DO SLEEP(1)
    select | SHOW TABLES
    select | SHOW CREATE TABLE t
    select | DESCRIBE t
    select | EXPLAIN DELETE FROM t
    select | EXPLAIN SELECT 1
    select delete delete_all | EXPLAIN ANALYZE DELETE FROM t
    delete delete_all | ANALYZE DELETE FROM t
    select | ANALYZE TABLE t
    select | USE d
    select | START TRANSACTION
    select | SET autocommit = 0
    select | SET @x = 1
    select alter | SET GLOBAL max_connections = 1
    select alter | SET @@global.max_connections = 1
    select grant | SET PASSWORD = 'x'
    select unknown | SET sql_mode = 'NO_BACKSLASH_ESCAPES'
    select | SET NAMES utf8mb4
    select unknown | SET NAMES gbk
    select alter | SET foreign_key_checks = 0
    select drop | PREPARE s FROM 'DROP TABLE t'
    select unknown | PREPARE s FROM @x
    call unknown | EXECUTE s
    call drop | EXECUTE IMMEDIATE 'DROP TABLE t'
    call drop | PURGE BINARY LOGS TO 'x'
    call alter | KILL 5
    call | FLUSH TABLES
    create copy_program | INSTALL PLUGIN x SONAME 'y.so'
    alter | OPTIMIZE TABLE t
    unknown | FROBNICATE
    unknown drop | FROBNICATE DROP TABLE t
    unknown select | SELECT 'no end
    """#

let sqliteTable = #"""
    select | SELECT 1
    select | SELECT 'a\'; -- DROP TABLE t
    select | SELECT "drop table t", [delete from t], `truncate` FROM t
    select | SELECT 1 -- DROP TABLE t
    select | SELECT 1 /* no end
    select | SELECT replace(a, 'x', 'y'), julianday('now'), json_extract(a, '$.b') FROM t
    select | SELECT * FROM pragma_table_info('t')
    select copy_program call | SELECT load_extension('x')
    select | SELECT 'load_extension(1)'
    select copy_out call | SELECT writefile('x', a) FROM t
    select copy_out call | SELECT readfile('/etc/passwd')
    select copy_program call | SELECT edit(a) FROM t
    insert | INSERT INTO t VALUES (1, 'DELETE FROM t')
    insert | INSERT OR IGNORE INTO t VALUES (1)
    insert delete | INSERT OR REPLACE INTO t VALUES (1)
    insert delete | REPLACE INTO t VALUES (1)
    insert update | INSERT INTO t VALUES (1) ON CONFLICT (a) DO UPDATE SET a = 2
    update | UPDATE t SET a = 1 WHERE id = 2
    update update_all | UPDATE t SET a = 1
    update | UPDATE OR IGNORE t SET a = 1 WHERE id = 2
    delete | DELETE FROM t WHERE id = 1
    delete delete_all | DELETE FROM t
    delete delete_all | DELETE FROM t WHERE 1
    delete delete_all | DELETE FROM t WHERE rowid > 0
    delete delete_all | DELETE FROM t WHERE a == a
    delete delete_all | DELETE FROM t WHERE name GLOB '*'
    delete | DELETE FROM t WHERE name GLOB 'a*'
    delete | DELETE FROM t WHERE name || 'x' = 'yx'
    delete delete_all | DELETE FROM t WHERE a IS a
    delete delete_all | DELETE FROM t WHERE a ISNULL OR a NOTNULL
    select delete delete_all | DELETE FROM t WHERE EXISTS (SELECT 1)
    delete drop alter | DELETE FROM sqlite_master WHERE name = 'x'
    drop | DROP TABLE t
    drop | DROP INDEX i
    select | EXPLAIN QUERY PLAN DELETE FROM t
    create | CREATE TABLE t (a, b)
    select | CREATE TEMP TABLE t (a)
    create | CREATE VIRTUAL TABLE t USING fts5(a)
    delete create | CREATE TRIGGER x AFTER UPDATE ON t BEGIN DELETE FROM s WHERE id = 1; END
    alter | ALTER TABLE t RENAME TO s
    alter drop | ALTER TABLE t DROP COLUMN a
    copy_out | ATTACH 'other.db' AS o
    copy_out | ATTACH DATABASE 'x' AS y
    select | DETACH o
    select | VACUUM
    select copy_out | VACUUM INTO 'x'
    select | PRAGMA table_info(t)
    select | PRAGMA foreign_keys = ON
    alter unknown | PRAGMA writable_schema = ON
    alter | PRAGMA user_version = 3
    select | PRAGMA user_version
    alter | PRAGMA journal_mode = DELETE
    select | ANALYZE
    select | REINDEX
    select | BEGIN IMMEDIATE
    select | END TRANSACTION
    unknown | .tables
    unknown | FROBNICATE
    """#

/// Judged by hand, as in `StatementsByHand.swift`.
let sqliteByHand = #"""
    update delete | UPDATE OR REPLACE t SET a = 1 WHERE id = 2
    select delete delete_all | DELETE FROM t WHERE id NOT IN (SELECT id FROM u WHERE 0)
    select delete | DELETE FROM t WHERE id NOT IN (SELECT id FROM u WHERE a = 1)
    select delete delete_all | WITH x AS (SELECT id FROM t) DELETE FROM t WHERE id IN (SELECT id FROM x)
    select delete | WITH x AS (SELECT id FROM t WHERE a = 3) DELETE FROM t WHERE id IN (SELECT id FROM x)
    select delete delete_all | WITH y AS (SELECT id FROM t WHERE a = 3), x AS (SELECT id FROM t) DELETE FROM t WHERE id IN (SELECT id FROM x)
    select unknown | SELECT 'x
    drop | DROP
    select | SELECT 1 -- ; DROP TABLE t
    select | SELECT [drop table] FROM "delete"
    select | SELECT 'it''s; DROP TABLE t'
    drop | DROP TABLE IF EXISTS main.t
    alter | ALTER TABLE t ADD COLUMN c
    delete delete_all | DELETE FROM t WHERE rowid = rowid
    delete delete_all | DELETE FROM t WHERE id IS id
    delete delete_all | DELETE FROM t WHERE 'a' GLOB '*'
    delete delete_all | DELETE FROM t WHERE a LIKE '%'
    delete delete_all | DELETE FROM t WHERE a GLOB '*'
    delete delete_all | DELETE FROM t WHERE 2 BETWEEN 1 AND 3
    delete delete_all | DELETE FROM t WHERE id ISNULL OR id NOTNULL
    delete delete_all | DELETE FROM t INDEXED BY i
    select delete delete_all | DELETE FROM t WHERE rowid IN (SELECT rowid FROM t)
    delete | DELETE FROM t WHERE a GLOB 'x*'
    delete | DELETE FROM t WHERE rowid = 5 RETURNING *
    delete | DELETE FROM t WHERE id IN (1)
    delete | DELETE FROM t WHERE id ISNULL
    update update_all | UPDATE OR IGNORE t SET a = 1
    update | UPDATE t SET a = 1 FROM u WHERE u.id = t.id
    insert update | INSERT INTO t VALUES (1) ON CONFLICT(id) DO UPDATE SET a = 1
    insert | INSERT OR IGNORE INTO t DEFAULT VALUES
    create | CREATE TABLE t (a)
    select create | CREATE TABLE t AS SELECT 1
    select create | CREATE VIEW v AS SELECT 1
    create | CREATE VIRTUAL TABLE f USING fts5(a)
    select copy_out | VACUUM INTO '/tmp/x'
    alter | PRAGMA journal_mode = OFF
    select | PRAGMA foreign_keys = OFF
    select copy_program call | SELECT edit('x')
    select call | SELECT fts3_tokenizer('x')
    select | SELECT 'load_extension(x)'
    select | SELECT load_extension FROM t
    select | SELECT * FROM json_each('[1]')
    select | WITH RECURSIVE c(x) AS (VALUES(1) UNION ALL SELECT x+1 FROM c) SELECT x FROM c
    select delete | WITH x AS (SELECT 1 AS i) DELETE FROM t WHERE id IN (SELECT i FROM x)
    select | EXPLAIN QUERY PLAN DROP TABLE t
    update drop alter | UPDATE sqlite_master SET sql = 'x' WHERE name = 't'
    delete | DELETE FROM sqlite_sequence WHERE name = 't'
    select unknown | SELECT [x
    select | SELECT last_insert_rowid(), changes()
    select call | SELECT purge(a) FROM t
    select | SELECT a || 'DELETE FROM t' FROM t
    select | SELECT CASE WHEN 1 THEN 'DROP' END
    select | SELECT count(*) FROM sqlite_master
    delete delete_all | DELETE FROM t WHERE id == id
    delete delete_all | DELETE FROM t WHERE rowid IS NOT NULL
    delete delete_all | DELETE FROM t WHERE random() IS NOT NULL
    delete delete_all | DELETE FROM t WHERE x'01' IS NOT NULL
    """#
