internal import SandboxModel

/// Goes once over a statement's tree, wherever in it something is done.
struct PostgresWalk {
    let tree: ParseTree
    var session: SQLSession
    let level: Int
    var findings = Findings()
    private var expressions = CommonExpressions()

    init(_ tree: ParseTree, session: SQLSession, level: Int) {
        self.tree = tree
        self.session = session
        self.level = level
    }

    /// A statement that is run as such.
    mutating func readTop(_ body: Int) {
        expressions = CommonExpressions(in: tree, body)
        switch tree.key(body) {
        case .explainStmt: explain(body)
        case .prepareStmt:
            walk(body)
            session.prepared[tree.string(body, .name) ?? ""] = findings.intents
        case .executeStmt:
            walk(body)
        default: walk(body)
        }
        if findings.intents.isEmpty { findings.add(.sqlUnknown, "a statement that is not known") }
        track(body)
    }

    private mutating func walk(_ body: Int) {
        for i in body..<tree.end(body) { visit(i) }
    }

    private mutating func visit(_ i: Int) {
        switch tree.key(i) {
        case .none, .other, .sval, .string, .fields, .relation: return
        case .relname: table(i)
        case .columnRef: column(i)
        // The rows that INSERT brings along are no reading
        case .selectStmt where tree.key(i - 1) == .insertSource && tree.isTrue(i, .valuesLists): return
        case .selectStmt: findings.add(.sqlSelect, "SELECT")
        case .funcCall: call(i)
        case .intoClause: makesTable(tree.child(i, .rel), "SELECT INTO")
        case .createTableAsStmt: makesTable(tree.child(i, .into, .rel), "CREATE TABLE AS")
        case .createStmt: makesTable(tree.child(i, .relation), "CREATE TABLE")
        case .insertStmt, .updateStmt, .deleteStmt, .mergeStmt, .truncateStmt: change(i)
        case .dropStmt: drop(i)
        case .copyStmt: copy(i)
        case .doStmt: doBlock(i)
        case .executeStmt: execute(i)
        case .variableSetStmt: set(i)
        case .setstmt: if let name = tree.string(i, .name) { setting(name, nil, whose: "a lasting setting") }
        case .defElem: option(i)
        case .alterTableCmd: alterTable(i)
        case .explainStmt, .prepareStmt: break
        case let key:
            guard let meaning = PostgresStatements.meaning(key) else { return }
            if key == .viewStmt, tree.child(i, .view, .relpersistence).map(tree.string) == "t" {
                findings.add(.sqlSelect, "a temporary view")
            } else {
                findings.add(meaning.intents, meaning.reason)
            }
        }
    }

    // MARK: Names

    /// The nodes before it say what the table is qualified by.
    private mutating func table(_ i: Int) {
        var parts = [tree.string(i)]
        if tree.key(i - 1) == .schemaname { parts.insert(tree.string(i - 1), at: 0) }
        if parts.count == 2, tree.key(i - 2) == .catalogname { parts.insert(tree.string(i - 2), at: 0) }
        if parts.count == 1 {
            let isTarget = tree.key(i - 1) == .relation
            if !isTarget, expressions.mean(parts[0], at: i) { return }
        }
        if session.isTemporary(schema: parts.count > 1 ? parts[parts.count - 2] : nil, parts[parts.count - 1]) { return }
        findings.table(parts.joined(separator: "."))
    }

    private mutating func column(_ i: Int) {
        guard let fields = tree.child(i, .fields), let last = tree.children(fields).last else { return }
        let node = tree.unwrapped(last)
        if let name = tree.key(node) == .string ? tree.string(node, .sval) : "*" { findings.column(name) }
    }

    func isTemporary(_ relation: Int?) -> Bool {
        guard let relation, let name = tree.string(relation, .relname) else { return false }
        return session.isTemporary(schema: tree.string(relation, .schemaname), name)
    }

    private mutating func makesTable(_ relation: Int?, _ reason: String) {
        guard let relation else { return findings.add(.sqlCreate, reason) }
        if tree.string(relation, .relpersistence) == "t" || tree.string(relation, .schemaname) == "pg_temp" {
            findings.add(.sqlSelect, "a temporary table")
            if let name = tree.string(relation, .relname) { session.created(temporary: name) }
        } else {
            findings.add(.sqlCreate, reason)
        }
    }

    // MARK: What runs something else

    /// Only ANALYZE runs what it explains. Of several, the last counts for the server; one is enough here.
    private mutating func explain(_ i: Int) {
        var runs = false
        for option in tree.children(tree.child(i, .options)).map(tree.unwrapped)
        where tree.string(option, .defname)?.lowercased() == "analyze" {
            let value = tree.child(option, .arg).map(tree.unwrapped).flatMap { node in
                tree.string(node, .sval) ?? tree.string(node, .ival) ?? tree.string(node, .boolval)
                    ?? (tree.key(node) == .boolean ? "false" : nil)
            }
            if !["off", "false", "0"].contains(value?.lowercased() ?? "true") { runs = true }
        }
        let before = session
        walk(i)
        if !runs {
            session = before
            findings.replace(.sqlSelect, "EXPLAIN alone runs nothing")
        }
    }

    private mutating func execute(_ i: Int) {
        findings.add(.sqlCall, "EXECUTE")
        if let known = session.prepared[tree.string(i, .name) ?? ""] {
            findings.add(known, "what was prepared")
        } else {
            findings.add(.sqlUnknown, "what was prepared is not known")
        }
    }

    private mutating func doBlock(_ i: Int) {
        findings.add([.sqlCall, .sqlUnknown], "DO runs a program of its own")
        for option in tree.children(tree.child(i, .args)).map(tree.unwrapped) where tree.string(option, .defname) == "as" {
            guard let body = tree.child(option, .arg).map(tree.unwrapped).flatMap({ tree.child($0, .sval) }) else { continue }
            let code = tree.bytes(body)
            findings.add(Guess.intents(code, .postgres, 0..<code.count), "words in the block's text")
            for text in Guess.executed(code) {
                findings.add(Guess.intents(text, .postgres, 0..<text.count), "words in what the block executes")
            }
        }
    }

    /// The text that a function is given to run, where it stands there.
    mutating func follow(_ arguments: Int?) {
        var isKnown = arguments != nil
        for argument in tree.children(arguments).map(tree.unwrapped) {
            guard tree.key(argument) == .aConst else {
                isKnown = false
                continue
            }
            guard let value = tree.child(argument, .sval, .sval) else { continue }
            let code = tree.bytes(value)
            guard Guess.looksLikeSQL(code) else { continue }
            guard level < 2 else {
                isKnown = false
                continue
            }
            var inner = PostgresReader(code, level: level + 1)
            for statement in inner.read() { findings.absorb(statement) }
        }
        if !isKnown { findings.add(.sqlUnknown, "runs text that is not known") }
    }

    // MARK: What outlives the statement

    /// Whatever may end a temporary table makes its name a real one's again.
    private mutating func track(_ i: Int) {
        switch tree.key(i) {
        case .transactionStmt:
            let kind = tree.string(i, .kind) ?? ""
            let goesOn = kind.contains("SAVEPOINT") || kind.contains("ROLLBACK_TO") || kind.contains("RELEASE")
            session.isInTransaction = ["TRANS_STMT_BEGIN", "TRANS_STMT_START"].contains(kind) || session.isInTransaction && goesOn
            if kind.contains("ROLLBACK") || kind.contains("COMMIT") || kind.contains("PREPARE") { session.temporary = [] }
        case .discardStmt, .doStmt, .callStmt, .executeStmt, .renameStmt, .alterObjectSchemaStmt:
            session.temporary = []
            if tree.key(i) == .discardStmt { session.prepared = [:] }
        case .dropdbStmt, .createdbStmt: tree.string(i, .dbname).map { findings.database($0) }
        case .dropStmt:
            session.temporary.subtract(dropped(i).compactMap(\.last))
            if tree.string(i, .removeType) == "OBJECT_SCHEMA" { session.temporary = [] }
        default:
            if !findings.intents.isDisjoint(with: [.sqlCall, .sqlUnknown]) { session.temporary = [] }
        }
    }
}
