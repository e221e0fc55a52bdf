internal import SandboxModel

/// Statements that change data or tables.
extension PostgresWalk {
    mutating func change(_ i: Int) {
        let key = tree.key(i)
        if key != .truncateStmt, isTemporary(tree.child(i, .relation)) { return findings.add(.sqlSelect, "only a temporary table") }
        switch key {
        case .insertStmt:
            findings.add(.sqlInsert, "INSERT")
            names(of: tree.child(i, .cols))
            if let conflict = tree.child(i, .onConflictClause), tree.string(conflict, .action) == "ONCONFLICT_UPDATE" {
                findings.add(.sqlUpdate, "INSERT … ON CONFLICT DO UPDATE")
                names(of: tree.child(conflict, .targetList))
            }
        case .updateStmt:
            findings.add(.sqlUpdate, "UPDATE")
            names(of: tree.child(i, .targetList))
            if let gap = unlimited(i, tree.child(i, .whereClause)) { findings.add(.sqlUpdateAll, "UPDATE \(gap)") }
        case .deleteStmt:
            findings.add(.sqlDelete, "DELETE")
            if let gap = unlimited(i, tree.child(i, .whereClause)) { findings.add(.sqlDeleteAll, "DELETE \(gap)") }
        case .truncateStmt:
            let relations = tree.children(tree.child(i, .relations)).map(tree.unwrapped)
            findings.add(relations.allSatisfy { isTemporary($0) } ? .sqlSelect : .sqlTruncate, "TRUNCATE")
        default: merge(i)
        }
    }

    private mutating func merge(_ i: Int) {
        let joined = unlimited(i, tree.child(i, .joinCondition))
        for clause in tree.children(tree.child(i, .mergeWhenClauses)).map(tree.unwrapped) {
            let gap = tree.child(clause, .condition).map { unlimited(i, $0) == nil } ?? false ? nil : joined
            switch tree.string(clause, .commandType) {
            case "CMD_INSERT": findings.add(.sqlInsert, "MERGE … INSERT")
            case "CMD_UPDATE":
                findings.add(.sqlUpdate, "MERGE … UPDATE")
                if let gap { findings.add(.sqlUpdateAll, "MERGE … UPDATE \(gap)") }
            case "CMD_DELETE":
                findings.add(.sqlDelete, "MERGE … DELETE")
                if let gap { findings.add(.sqlDeleteAll, "MERGE … DELETE \(gap)") }
            default: findings.add(.sqlSelect, "MERGE")
            }
        }
    }

    /// Why every row is meant, or nil.
    private func unlimited(_ statement: Int, _ condition: Int?) -> String? {
        guard let condition else { return "without a condition" }
        let target = tree.child(statement, .relation).flatMap { tree.string($0, .relname) }
        let expressions = tree.children(tree.child(statement, .withClause, .ctes)).map(tree.unwrapped)
        let reader = PostgresConditions(tree: tree, target: target, expressions: expressions, aliases: aliases(statement, of: target))
        if asksOnlyOthers(statement, condition) { return "with a condition on other tables alone" }
        return reader.read(condition).leavesNothingOut ? "with a condition that leaves nothing out" : nil
    }

    /// `DELETE FROM t a USING t b`: what both are called.
    private func aliases(_ statement: Int, of target: String?) -> Set<String> {
        let others = [.usingClause, .fromClause].flatMap { tree.children(tree.child(statement, $0)).map(tree.unwrapped) }
        let same = others.filter { target != nil && tree.string($0, .relname) == target }
        guard !same.isEmpty, let relation = tree.child(statement, .relation) else { return [] }
        return Set((same + [relation]).compactMap { tree.child($0, .alias).flatMap { tree.string($0, .aliasname) } })
    }

    /// `UPDATE t … FROM u WHERE u.a = 1`: it chooses no rows of `t`.
    private func asksOnlyOthers(_ statement: Int, _ condition: Int) -> Bool {
        guard [.fromClause, .usingClause, .sourceRelation].contains(where: { tree.isTrue(statement, $0) }),
            let relation = tree.child(statement, .relation)
        else { return false }
        let own = Set((relation..<tree.end(relation)).filter { [.relname, .aliasname].contains(tree.key($0)) }.map(tree.string))
        let columns = (condition..<tree.end(condition)).filter { tree.key($0) == .columnRef }
        return !columns.isEmpty
            && columns.allSatisfy { column in
                let names = tree.names(tree.child(column, .fields))
                return names.count > 1 && !own.contains(names[names.count - 2])
            }
    }

    private mutating func names(of list: Int?) {
        for target in tree.children(list).map(tree.unwrapped) { if let name = tree.string(target, .name) { findings.column(name) } }
    }

    // MARK: DROP, ALTER

    /// The names of what is dropped, each in its parts.
    func dropped(_ i: Int) -> [[String]] {
        tree.children(tree.child(i, .objects)).map { item in
            let node = tree.unwrapped(item)
            return tree.key(node) == .list ? tree.names(tree.child(node, .items)) : tree.names(node)
        }
    }

    mutating func drop(_ i: Int) {
        let objects = dropped(i)
        let holdsRows = ["OBJECT_TABLE", "OBJECT_VIEW", "OBJECT_MATVIEW", "OBJECT_FOREIGN_TABLE", "OBJECT_SEQUENCE", "OBJECT_INDEX"]
        let isRelation = holdsRows.contains(tree.string(i, .removeType) ?? "")
        let real = objects.filter { name in
            guard isRelation, let last = name.last else { return true }
            return !session.isTemporary(schema: name.count > 1 ? name[name.count - 2] : nil, last)
        }
        guard !real.isEmpty else { return findings.add(.sqlSelect, "DROP of a temporary table") }
        findings.add(.sqlDrop, "DROP")
        if isRelation { for name in real where !name.isEmpty { findings.table(name.joined(separator: ".")) } }
    }

    mutating func alterTable(_ i: Int) {
        switch tree.string(i, .subtype) ?? "" {
        case "AT_DropColumn": findings.add(.sqlDrop, "DROP COLUMN")
        case "AT_ChangeOwner": findings.add(.sqlGrant, "changes the owner")
        case let kind where kind.contains("RowSecurity"): findings.add(.sqlGrant, "changes who may see which rows")
        default: break
        }
    }

    // MARK: COPY

    mutating func copy(_ i: Int) {
        let isFrom = tree.isTrue(i, .isFrom)
        if isFrom {
            // A file of the server's is more than rows that somebody has: into a temporary table as well.
            let isHarmless = isTemporary(tree.child(i, .relation)) && !tree.isTrue(i, .filename)
            findings.add(isHarmless ? .sqlSelect : .sqlInsert, "COPY FROM")
        } else {
            findings.add([.sqlSelect, .sqlCopyOut], "COPY TO")
        }
        if tree.isTrue(i, .isProgram) { findings.add(.sqlCopyProgram, "COPY … PROGRAM") }
    }

    // MARK: Settings and options

    mutating func set(_ i: Int) {
        findings.add(.sqlSelect, "SET")
        let value = tree.children(tree.child(i, .args)).first.map(tree.unwrapped).flatMap { node -> String? in
            tree.child(node, .sval, .sval).map(tree.string) ?? tree.child(node, .boolval).map { tree.end($0) > $0 + 1 ? "on" : "off" }
        }
        guard let name = tree.string(i, .name) else { return session.temporary = [] }  // RESET ALL
        setting(name, value, whose: "SET")
    }

    mutating func setting(_ given: String, _ value: String?, whose: String) {
        let name = given.lowercased()
        if let (intents, reason) = SettingEffect.of(name) { findings.add(intents, "\(whose): \(reason)") }
        if SettingEffect.changesReading(name, to: value) { session.isReadDifferently = true }
        if name == "search_path" { session.temporary = [] }
    }

    /// Options that make something of the server's run or reach out.
    mutating func option(_ i: Int) {
        switch tree.string(i, .defname)?.lowercased() {
        case "program": findings.add(.sqlCopyProgram, "an option names a program")
        case "filename": findings.add(.sqlCopyOut, "an option names a file of the server's")
        case "language":
            let language = tree.child(i, .arg).map(tree.unwrapped).flatMap { tree.string($0, .sval) }?.lowercased() ?? ""
            if ["c", "internal", "plsh"].contains(language)
                || language.hasPrefix("pl") && language.last.map({ "u0123456789".contains($0) }) ?? false
            {
                findings.add(.sqlCopyProgram, "a language that may do anything")
            }
        default: break
        }
    }

    mutating func call(_ i: Int) {
        let name = tree.names(tree.child(i, .funcname))
        guard let function = name.last?.lowercased() else { return }
        let arguments = tree.child(i, .args)
        if function == "set_config" {
            findings.add(.sqlCall, "set_config")
            let values = tree.children(arguments).map(tree.unwrapped).map { tree.child($0, .sval, .sval).map(tree.string) }
            if let setting = values.first ?? nil {
                self.setting(setting, values.dropFirst().first ?? nil, whose: "set_config")
            } else {
                findings.add(.sqlUnknown, "a setting that is not known")
            }
            return
        }
        guard let effect = FunctionEffect.of(function, schema: name.count > 1 ? name[name.count - 2].lowercased() : nil) else { return }
        findings.add(effect.intents, "\(function): \(effect.reason)")
        if effect.runsText { follow(arguments) }
    }
}
