/// Statements from a grammar of the tests' own: every kind of statement that PostgreSQL 15 has, nested in one another, and written in
/// other ways. A line is `NAME = text ¦ text …`; `<NAME>` in a text stands for one of NAME's. Where it has gone deep enough, the first is
/// taken, which leads no deeper.
struct SQLGrammar {
    struct Random {
        var state: UInt64
        mutating func next() -> UInt64 {  // splitmix64
            state &+= 0x9e37_79b9_7f4a_7c15
            var z = state
            z = (z ^ z >> 30) &* 0xbf58_476d_1ce4_e5b9
            z = (z ^ z >> 27) &* 0x94d0_49bb_1331_11eb
            return z ^ z >> 31
        }
        mutating func below(_ n: Int) -> Int { Int(next() % UInt64(n)) }
        mutating func of<T>(_ choices: [T]) -> T { choices[below(choices.count)] }
    }

    private enum Part {
        case text([UInt8])
        case name(Int)
    }
    private var rules: [[[Part]]] = []
    private let start: Int
    private static let deepest = 9

    init() {
        var numbers: [Substring: Int] = [:]
        let lines = Self.text.split(separator: "\n").map { $0.split(separator: " = ", maxSplits: 1) }
        for line in lines { numbers[line[0]] = numbers.count }
        start = numbers["statement"] ?? 0
        for line in lines {
            rules.append(line[1].split(separator: " ¦ ", omittingEmptySubsequences: false).map { Self.parts($0, numbers) })
        }
    }

    private static func parts(_ text: Substring, _ numbers: [Substring: Int]) -> [Part] {
        var parts: [Part] = []
        var rest = text
        while let open = rest.firstIndex(of: "<") {
            let close = rest[open...].firstIndex(of: ">")
            if let close, let number = numbers[rest[rest.index(after: open)..<close]] {
                parts.append(.text(Array(rest[..<open].utf8)))
                parts.append(.name(number))
                rest = rest[rest.index(after: close)...]
            } else {
                let next = rest.index(after: open)
                parts.append(.text(Array(rest[..<next].utf8)))
                rest = rest[next...]
            }
        }
        return parts + [.text(Array(rest.utf8))]
    }

    func statement(_ random: inout Random) -> [UInt8] {
        var out: [UInt8] = []
        expand(start, 0, &out, &random)
        return out
    }

    private func expand(_ rule: Int, _ depth: Int, _ out: inout [UInt8], _ random: inout Random) {
        let choices = rules[rule]
        for part in choices[depth < Self.deepest ? random.below(choices.count) : 0] {
            switch part {
            case .text(let text): out += text
            case .name(let number): expand(number, depth + 1, &out, &random)
            }
        }
    }

    // MARK: Written otherwise

    /// The same, or something else altogether: it need not parse.
    static func mutated(_ text: [UInt8], _ r: inout Random) -> [UInt8] {
        var bytes = text
        for _ in 0...r.below(4) {
            guard !bytes.isEmpty else { break }
            let at = r.below(bytes.count)
            func insert(_ choices: [String]) { bytes.insert(contentsOf: r.of(choices).utf8, at: at) }
            switch r.below(14) {
            case 0: for i in bytes.indices where isLetter(bytes[i]) && r.below(2) == 0 { bytes[i] ^= 0x20 }
            case 1, 2:
                let blanks = ["/**/", "\n", " -- x\n", "/* /* ; */ */", "\t\u{c}", "\n--'\n", " /* $$ ' */ ", "\r\n"]
                if bytes[at] == 0x20 { bytes.replaceSubrange(at...at, with: r.of(blanks).utf8) }
            case 3: insert(["'", "\"", ";", "(", ")", "--", "/*", "*/", "$$", "\\", ",", "$a$", "E'", "U&'", "\u{0}", "é"])
            case 4: bytes.remove(at: at)
            case 5: bytes.removeLast(r.below(bytes.count))
            case 6: bytes = Array("/* c */ ".utf8) + bytes + Array(" ; ".utf8)
            case 7: bytes += Array(r.of(["; SELECT 1", "; DROP TABLE zzz", ";;", " -- DROP TABLE x", "\n;\nDELETE FROM zzz"]).utf8)
            case 8: bytes = Array(r.of(["SELECT 1; ", "BEGIN; ", "SET x = 1;", ";", "\u{feff}", "SELECT 'a;b'; "]).utf8) + bytes
            case 9: bytes = Array(r.of(["EXPLAIN ANALYZE ", "EXPLAIN (ANALYZE, COSTS off) ", "PREPARE p AS ", "EXPLAIN "]).utf8) + bytes
            case 10: bytes = Array("WITH w1 AS (".utf8) + bytes + Array(" RETURNING *) SELECT * FROM w1".utf8)
            case 11: bytes = Array("DO $do$ BEGIN ".utf8) + bytes + Array("; END $do$".utf8)
            case 12:
                bytes =
                    Array("CREATE FUNCTION f() RETURNS int LANGUAGE sql ".utf8)
                    + Array(r.of(["AS $f$ ", "BEGIN ATOMIC "]).utf8) + bytes + Array(r.of([" $f$", "; END"]).utf8)
            default: bytes = Array("COPY (".utf8) + bytes + Array(" RETURNING 1) TO STDOUT".utf8)
            }
        }
        return bytes
    }

    private static func isLetter(_ byte: UInt8) -> Bool { (0x61...0x7a).contains(byte | 0x20) }

    // MARK: The grammar

    private static let text = #"""
        one = 1
        t = t ¦ users ¦ "Drop" ¦ s.orders ¦ "delete from" ¦ a.b.c ¦ U&"d\0061ta" ¦ "we""ird" ¦ _x1 ¦ ONLY t ¦ pg_temp.x ¦ "$$" ¦ U&"!0064rop" UESCAPE '!'
        n = n ¦ s.n ¦ "N;" ¦ "DROP TABLE" ¦ U&"\0064elete"
        c = a ¦ "select" ¦ b1
        type = int ¦ text ¦ numeric(10,2) ¦ timestamptz ¦ int[] ¦ varchar(9) ¦ s.typ ¦ double precision
        role = r ¦ "r-1" ¦ CURRENT_USER ¦ SESSION_USER
        lit = 1 ¦ 'x' ¦ null ¦ true ¦ $1 ¦ 'DROP TABLE t' ¦ $$DELETE FROM t$$ ¦ $q$ '; TRUNCATE t; -- $q$ ¦ E'\'; DROP TABLE t; --' ¦ 1.5e3 ¦ B'101' ¦ U&'\0041' ¦ current_user ¦ interval '1 day' ¦ 'it''s' ¦ X'1F'
        value = <lit> ¦ <c> ¦ t.a ¦ now() ¦ (<select> LIMIT 1) ¦ f(<value>, <value>) ¦ CASE WHEN <cond> THEN <value> ELSE <value> END ¦ (<value>)::<type> ¦ ARRAY[<value>, <value>] ¦ coalesce(<value>, 1) ¦ (<value> + <value>) ¦ (<value> || <value>) ¦ count(*) FILTER (WHERE <cond>) ¦ sum(a) OVER (PARTITION BY b ORDER BY c) ¦ ROW(<value>, 2) ¦ CAST(<value> AS <type>) ¦ extract(year FROM now()) ¦ EXISTS (<select>) ¦ ARRAY(<select>) ¦ -<value> ¦ s.g(VARIADIC ARRAY[1]) ¦ xmlelement(name a, <value>) ¦ a.b.c ¦ (t).a ¦ a[1:2] ¦ nextval('q')
        cond = a = 1 ¦ true ¦ 1 = 1 ¦ x IS NULL ¦ a IN (1, 2) ¦ b LIKE '%' ¦ <cond> AND <cond> ¦ (<cond> OR <cond>) ¦ NOT (<cond>) ¦ EXISTS (<select>) ¦ <value> = <value> ¦ <value> IS DISTINCT FROM <value> ¦ a IN (<select>) ¦ a BETWEEN 1 AND <value> ¦ a = ANY(<value>) ¦ a ~ 'x' ¦ a @> '{}' ¦ b IS NOT TRUE
        where =  ¦  WHERE <cond> ¦  WHERE <cond> ¦  WHERE CURRENT OF c
        from = <t> ¦ <t> AS j ¦ <t> JOIN u ON <cond> ¦ <t> LEFT JOIN LATERAL (<select>) l ON true ¦ (<select>) q ¦ f(1) WITH ORDINALITY ¦ t TABLESAMPLE bernoulli(1) ¦ <t> CROSS JOIN u ¦ ROWS FROM (f(1), g(2)) AS r ¦ (VALUES (1), (2)) v(a) ¦ w
        with =  ¦ WITH w AS (<select>)  ¦ WITH w AS (<change> RETURNING *)  ¦ WITH RECURSIVE w AS (SELECT 1 UNION ALL SELECT 2)  ¦ WITH w AS MATERIALIZED (<select>), v AS (<change> RETURNING 1) 
        select = SELECT 1 ¦ SELECT <value> FROM <from><where> ¦ <with>SELECT <value>, * FROM <from><where> ¦ SELECT DISTINCT ON (a) * FROM <from> ORDER BY a DESC LIMIT 5 OFFSET 1 ¦ <select> UNION ALL SELECT 1 ¦ (<select>) EXCEPT (<select>) ¦ VALUES (<value>), (2) ¦ TABLE t ¦ SELECT a, count(*) FROM <from><where> GROUP BY ROLLUP (a) HAVING <cond> ¦ SELECT * FROM <t> FOR UPDATE SKIP LOCKED ¦ SELECT FROM t WINDOW w AS (ORDER BY a) ¦ SELECT * FROM t FETCH FIRST 1 ROW ONLY
        into = SELECT <value> INTO n FROM <from> ¦ SELECT 1 INTO TEMP n ¦ SELECT 1 INTO UNLOGGED n
        returning =  ¦  RETURNING * ¦  RETURNING <value> AS z
        delete = DELETE FROM <t><where> ¦ <with>DELETE FROM <t> AS d USING u<where><returning>
        update = UPDATE <t> SET a = <value><where> ¦ <with>UPDATE <t> SET (a, b) = (SELECT 1, 2), c = DEFAULT FROM u<where><returning>
        insert = INSERT INTO <t> VALUES (<value>) ¦ INSERT INTO <t> (a, b) <select> ON CONFLICT DO NOTHING<returning> ¦ INSERT INTO <t> DEFAULT VALUES ¦ <with>INSERT INTO <t> SELECT 1 ON CONFLICT (a) DO UPDATE SET a = EXCLUDED.a<where>
        merge = MERGE INTO <t> USING u ON <cond> WHEN MATCHED THEN DELETE ¦ MERGE INTO <t> USING (<select>) u ON <cond> WHEN MATCHED AND <cond> THEN UPDATE SET a = <value> WHEN NOT MATCHED THEN INSERT VALUES (1) ¦ MERGE INTO t USING u ON true WHEN MATCHED THEN DO NOTHING
        change = <delete> ¦ <update> ¦ <insert> ¦ <delete> ¦ <update>
        any = <select> ¦ <change> ¦ <insert>
        ie =  ¦ IF EXISTS 
        cas =  ¦  CASCADE ¦  RESTRICT
        drop = DROP TABLE <ie><n>, t<cas> ¦ DROP <object> <ie><n><cas> ¦ DROP FUNCTION <ie>f(int, text)<cas> ¦ DROP AGGREGATE f(*) ¦ DROP OPERATOR +(int, int) ¦ DROP CAST (int AS text) ¦ DROP TRIGGER n ON t ¦ DROP RULE n ON t ¦ DROP POLICY n ON t ¦ DROP OPERATOR CLASS n USING btree ¦ DROP TRANSFORM FOR int LANGUAGE sql ¦ DROP ROLE <ie>r, q ¦ DROP USER u ¦ DROP DATABASE <ie>d ¦ DROP DATABASE d WITH (FORCE) ¦ DROP OWNED BY <role><cas> ¦ DROP TABLESPACE <ie>x ¦ DROP SUBSCRIPTION <ie>x ¦ DROP USER MAPPING <ie>FOR <role> SERVER x ¦ DROP ROUTINE f ¦ DROP PROCEDURE p(int)
        object = TABLE ¦ VIEW ¦ INDEX ¦ INDEX CONCURRENTLY ¦ SEQUENCE ¦ MATERIALIZED VIEW ¦ SCHEMA ¦ TYPE ¦ DOMAIN ¦ EXTENSION ¦ FOREIGN TABLE ¦ FOREIGN DATA WRAPPER ¦ SERVER ¦ COLLATION ¦ CONVERSION ¦ EVENT TRIGGER ¦ LANGUAGE ¦ PUBLICATION ¦ STATISTICS ¦ TEXT SEARCH PARSER ¦ TEXT SEARCH DICTIONARY ¦ TEXT SEARCH TEMPLATE ¦ TEXT SEARCH CONFIGURATION ¦ ACCESS METHOD
        coldef = a <type> ¦ a <type> PRIMARY KEY DEFAULT <value> CHECK (<cond>) ¦ a int REFERENCES u ON DELETE CASCADE ¦ a int GENERATED ALWAYS AS IDENTITY ¦ LIKE u INCLUDING ALL ¦ CONSTRAINT k UNIQUE (a) ¦ EXCLUDE USING gist (a WITH =)
        persistence =  ¦ TEMP  ¦ UNLOGGED  ¦ LOCAL TEMPORARY 
        create = CREATE <persistence>TABLE <n> (<coldef>, b int) ¦ CREATE TABLE IF NOT EXISTS <n> (<coldef>) PARTITION BY RANGE (a) ¦ CREATE TABLE n PARTITION OF t FOR VALUES FROM (1) TO (2) ¦ CREATE <persistence>TABLE n AS <select> WITH NO DATA ¦ CREATE MATERIALIZED VIEW n AS <select> ¦ CREATE <persistence>VIEW n AS <select> ¦ CREATE OR REPLACE VIEW n (a) AS <select> WITH CHECK OPTION ¦ CREATE UNIQUE INDEX CONCURRENTLY ON t USING btree (lower(a)) WHERE <cond> ¦ CREATE <persistence>SEQUENCE n INCREMENT 2 OWNED BY t.a ¦ CREATE SCHEMA n ¦ CREATE SCHEMA n CREATE TABLE t (a int) CREATE VIEW v AS SELECT 1 ¦ CREATE EXTENSION IF NOT EXISTS x CASCADE ¦ CREATE TYPE n AS (a int) ¦ CREATE TYPE n AS ENUM ('a', 'b') ¦ CREATE TYPE n AS RANGE (subtype = int) ¦ CREATE TYPE n ¦ CREATE DOMAIN n AS <type> CHECK (<cond>) ¦ CREATE FUNCTION f(a int) RETURNS int LANGUAGE <language> AS $$ <any> $$ ¦ CREATE FUNCTION f() RETURNS int LANGUAGE sql BEGIN ATOMIC <change>; SELECT 1; END ¦ CREATE FUNCTION f() RETURNS int RETURN <value> ¦ CREATE PROCEDURE p() LANGUAGE sql AS 'x' ¦ CREATE AGGREGATE n (int) (sfunc = f, stype = int) ¦ CREATE OPERATOR === (leftarg = int, procedure = f) ¦ CREATE TRIGGER n AFTER DELETE ON t FOR EACH ROW WHEN (<cond>) EXECUTE FUNCTION f() ¦ CREATE EVENT TRIGGER n ON sql_drop EXECUTE FUNCTION f() ¦ CREATE RULE n AS ON INSERT TO t WHERE <cond> DO INSTEAD (<change>; <change>) ¦ CREATE RULE n AS ON SELECT TO t DO INSTEAD <select> ¦ CREATE ROLE r LOGIN PASSWORD 'x' ¦ CREATE USER u SUPERUSER ¦ CREATE GROUP g ¦ CREATE DATABASE d TEMPLATE x ¦ CREATE TABLESPACE x LOCATION '/x' ¦ CREATE POLICY n ON t FOR DELETE TO <role> USING (<cond>) ¦ CREATE PUBLICATION n FOR ALL TABLES ¦ CREATE SUBSCRIPTION n CONNECTION 'host=x' PUBLICATION p ¦ CREATE FOREIGN DATA WRAPPER n HANDLER h ¦ CREATE SERVER n FOREIGN DATA WRAPPER w OPTIONS (host 'x') ¦ CREATE FOREIGN TABLE n (a int) SERVER x OPTIONS (filename '/x') ¦ CREATE USER MAPPING FOR <role> SERVER x ¦ CREATE LANGUAGE x ¦ CREATE CAST (int AS text) WITHOUT FUNCTION ¦ CREATE CONVERSION n FOR 'UTF8' TO 'LATIN1' FROM f ¦ CREATE COLLATION n (locale = 'C') ¦ CREATE OPERATOR CLASS n FOR TYPE int USING btree AS OPERATOR 1 < ¦ CREATE OPERATOR FAMILY n USING btree ¦ CREATE STATISTICS n ON a, b FROM t ¦ CREATE TEXT SEARCH CONFIGURATION n (copy = english) ¦ CREATE TRANSFORM FOR int LANGUAGE sql (FROM SQL WITH FUNCTION f(internal)) ¦ CREATE ACCESS METHOD n TYPE INDEX HANDLER h ¦ IMPORT FOREIGN SCHEMA s FROM SERVER x INTO y
        language = sql ¦ plpgsql ¦ plpython3u ¦ c ¦ "PLPERLU"
        altertable = ADD COLUMN <coldef> ¦ DROP COLUMN a CASCADE ¦ ALTER a TYPE text USING <value> ¦ ALTER a SET DEFAULT <value> ¦ ADD CONSTRAINT k CHECK (<cond>) ¦ DROP CONSTRAINT k ¦ OWNER TO <role> ¦ ENABLE ROW LEVEL SECURITY ¦ NO FORCE ROW LEVEL SECURITY ¦ DISABLE TRIGGER ALL ¦ SET LOGGED ¦ SET TABLESPACE x ¦ INHERIT u ¦ ATTACH PARTITION u DEFAULT ¦ DETACH PARTITION u ¦ CLUSTER ON k ¦ SET (fillfactor = 9) ¦ REPLICA IDENTITY FULL
        alter = ALTER TABLE <ie><t> <altertable> ¦ ALTER TABLE t RENAME TO z ¦ ALTER TABLE t RENAME COLUMN a TO b ¦ ALTER TABLE t SET SCHEMA s ¦ ALTER TABLE ALL IN TABLESPACE x SET TABLESPACE y ¦ ALTER VIEW n ALTER a SET DEFAULT 1 ¦ ALTER INDEX n RENAME TO m ¦ ALTER INDEX n DEPENDS ON EXTENSION x ¦ ALTER SEQUENCE n RESTART WITH 1 ¦ ALTER SCHEMA n RENAME TO m ¦ ALTER SCHEMA n OWNER TO <role> ¦ ALTER TYPE n ADD VALUE 'x' ¦ ALTER TYPE n ADD ATTRIBUTE b int ¦ ALTER TYPE n SET (storage = plain) ¦ ALTER DOMAIN n ADD CHECK (<cond>) ¦ ALTER FUNCTION f(int) SECURITY DEFINER ¦ ALTER FUNCTION f(int) OWNER TO <role> ¦ ALTER ROLE r SUPERUSER ¦ ALTER ROLE r SET a = 1 ¦ ALTER ROLE ALL IN DATABASE d RESET ALL ¦ ALTER USER u PASSWORD 'x' ¦ ALTER GROUP g ADD USER u ¦ ALTER DATABASE d CONNECTION LIMIT 0 ¦ ALTER DATABASE d SET a = 1 ¦ ALTER DATABASE d RENAME TO e ¦ ALTER DATABASE d REFRESH COLLATION VERSION ¦ ALTER SYSTEM SET a = 1 ¦ ALTER SYSTEM RESET ALL ¦ ALTER DEFAULT PRIVILEGES IN SCHEMA s GRANT SELECT ON TABLES TO <role> ¦ ALTER EXTENSION x UPDATE ¦ ALTER EXTENSION x ADD TABLE t ¦ ALTER POLICY n ON t USING (<cond>) ¦ ALTER PUBLICATION n ADD TABLE t ¦ ALTER SUBSCRIPTION n CONNECTION 'host=y' ¦ ALTER SERVER n OPTIONS (SET host 'y') ¦ ALTER FOREIGN DATA WRAPPER n NO HANDLER ¦ ALTER FOREIGN TABLE n ADD COLUMN b int ¦ ALTER USER MAPPING FOR <role> SERVER x OPTIONS (a 'b') ¦ ALTER TABLESPACE x SET (seq_page_cost = 1) ¦ ALTER OPERATOR +(int, int) SET (restrict = none) ¦ ALTER OPERATOR FAMILY n USING btree ADD OPERATOR 1 < (int, int) ¦ ALTER COLLATION n REFRESH VERSION ¦ ALTER STATISTICS n SET STATISTICS 9 ¦ ALTER EVENT TRIGGER n DISABLE ¦ ALTER TEXT SEARCH CONFIGURATION n ADD MAPPING FOR word WITH d ¦ ALTER TEXT SEARCH DICTIONARY n (a = 'b') ¦ ALTER MATERIALIZED VIEW n SET SCHEMA s ¦ REASSIGN OWNED BY <role> TO q ¦ COMMENT ON TABLE t IS 'DROP' ¦ SECURITY LABEL ON TABLE t IS 'x' ¦ CLUSTER t ¦ REINDEX TABLE t ¦ REFRESH MATERIALIZED VIEW CONCURRENTLY n
        grant = GRANT SELECT, UPDATE (a) ON t TO <role> WITH GRANT OPTION ¦ GRANT ALL ON ALL TABLES IN SCHEMA s TO PUBLIC ¦ GRANT q TO <role> ¦ REVOKE ALL ON DATABASE d FROM <role> CASCADE ¦ REVOKE q FROM <role> ¦ GRANT EXECUTE ON FUNCTION f(int) TO r
        copy = COPY t FROM STDIN ¦ COPY t (a) TO STDOUT WITH (FORMAT csv) ¦ COPY (<select>) TO '/x' ¦ COPY (<change> RETURNING *) TO STDOUT ¦ COPY t FROM '/etc/passwd' ¦ COPY t FROM PROGRAM 'id' WHERE <cond> ¦ COPY (<select>) TO PROGRAM 'sh -c "x"'
        server = CALL p(<value>) ¦ LOAD 'x' ¦ DO $$ BEGIN <any>; END $$ ¦ DO LANGUAGE plpython3u 'x' ¦ NOTIFY c, 'x' ¦ CHECKPOINT ¦ EXECUTE p(<value>) ¦ CREATE TABLE n AS EXECUTE p ¦ SELECT set_config('a', 'b', false) ¦ SELECT pg_terminate_backend(1) ¦ SELECT lo_unlink(1) ¦ SELECT dblink_exec('x', 'DROP TABLE t')
        explain = EXPLAIN <any> ¦ EXPLAIN ANALYZE <any> ¦ EXPLAIN (ANALYZE true, VERBOSE) <merge> ¦ EXPLAIN (ANALYZE, BUFFERS) CREATE TABLE n AS <select> ¦ EXPLAIN (COSTS off) <change>
        prepare = PREPARE p AS <any> ¦ PREPARE p (int) AS <change> ¦ DECLARE c CURSOR WITH HOLD FOR <select> ¦ PREPARE p AS <with><select>
        session = BEGIN ¦ COMMIT ¦ ROLLBACK TO SAVEPOINT x ¦ START TRANSACTION READ WRITE ¦ PREPARE TRANSACTION 'x' ¦ SAVEPOINT x ¦ SET a = 1 ¦ SET LOCAL search_path TO s ¦ SET TRANSACTION ISOLATION LEVEL SERIALIZABLE ¦ RESET ALL ¦ SHOW a ¦ DISCARD ALL ¦ DEALLOCATE ALL ¦ LISTEN c ¦ UNLISTEN * ¦ FETCH NEXT FROM c ¦ MOVE ALL IN c ¦ CLOSE c ¦ LOCK TABLE t IN ACCESS EXCLUSIVE MODE ¦ SET CONSTRAINTS ALL DEFERRED ¦ VACUUM FULL t ¦ ANALYZE t ¦ SET SESSION AUTHORIZATION r ¦ SET ROLE r
        truncate = TRUNCATE <t> ¦ TRUNCATE TABLE t, u RESTART IDENTITY CASCADE
        statement = <select> ¦ <with><select> ¦ <change> ¦ <change> ¦ <change> ¦ <merge> ¦ <into> ¦ <drop> ¦ <drop> ¦ <truncate> ¦ <create> ¦ <create> ¦ <create> ¦ <alter> ¦ <alter> ¦ <alter> ¦ <grant> ¦ <copy> ¦ <server> ¦ <explain> ¦ <prepare> ¦ <session> ¦ <select>; <change> ¦ <session>; <drop>; <select>
        """#
}
