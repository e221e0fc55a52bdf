/// The names in libpg_query's tree that something is asked about; all others are `other`. Those of nodes begin with a capital.
enum ParseKey: String, CaseIterable {
    case none = "", other = "?", val

    // Fields
    case insertSource = "selectStmt", stmts, stmt, stmtLocation = "stmt_location", stmtLen = "stmt_len"
    case relation, sourceRelation, relname, schemaname, catalogname, relpersistence, inh, alias, aliasname
    case whereClause, fromClause, usingClause, targetList, valuesLists, cols, rel, relations, returningList
    case intoClause, into, withClause, ctes, ctename, ctequery, recursive, onConflictClause, action
    case joinCondition, mergeWhenClauses, condition, commandType, limitCount, limitOffset, lockingClause, op, larg, rarg, havingClause,
        groupClause
    case objects, removeType, items, sval, ival, fval, bsval, boolval, isnull, names, name, kind, lexpr, rexpr, fields, args, arg, funcname
    case boolop, nulltesttype, booltesttype, subLinkType, testexpr, subselect, operName, elements, defresult, result, expr, typeName, object
    case query, options, defname, isProgram = "is_program", isFrom = "is_from", filename, isLocal = "is_local"
    case cmds, subtype, objtype, renameType, objectType, newname, language, objfuncargs, dbname, setstmt, isReplace = "replace"
    case view, behavior, missingOk = "missing_ok", tableElts, fdwname, servername, target, newschema, indirection, distinctClause, jointype,
        quals, rvarlist

    // Nodes
    case rawStmt = "RawStmt", rangeVar = "RangeVar", string = "String", list = "List", defElem = "DefElem", aConst = "A_Const"
    case columnRef = "ColumnRef", aStar = "A_Star", funcCall = "FuncCall", aExpr = "A_Expr", boolExpr = "BoolExpr"
    case nullTest = "NullTest", booleanTest = "BooleanTest", typeCast = "TypeCast", subLink = "SubLink", paramRef = "ParamRef"
    case caseExpr = "CaseExpr", caseWhen = "CaseWhen", coalesceExpr = "CoalesceExpr", minMaxExpr = "MinMaxExpr", rowExpr = "RowExpr"
    case collateClause = "CollateClause", aIndirection = "A_Indirection", aArrayExpr = "A_ArrayExpr", currentOfExpr = "CurrentOfExpr"
    case sqlValueFunction = "SQLValueFunction", resTarget = "ResTarget", commonTableExpr = "CommonTableExpr"
    case alterTableCmd = "AlterTableCmd", typeNameNode = "TypeName", objectWithArgs = "ObjectWithArgs", mergeWhenClause = "MergeWhenClause"
    case joinExpr = "JoinExpr", integer = "Integer", boolean = "Boolean", roleSpec = "RoleSpec"

    // Statements
    case selectStmt = "SelectStmt", insertStmt = "InsertStmt", updateStmt = "UpdateStmt", deleteStmt = "DeleteStmt"
    case mergeStmt = "MergeStmt", truncateStmt = "TruncateStmt", dropStmt = "DropStmt", copyStmt = "CopyStmt", doStmt = "DoStmt"
    case callStmt = "CallStmt", executeStmt = "ExecuteStmt", prepareStmt = "PrepareStmt", deallocateStmt = "DeallocateStmt"
    case explainStmt = "ExplainStmt", declareCursorStmt = "DeclareCursorStmt", fetchStmt = "FetchStmt", closePortalStmt = "ClosePortalStmt"
    case transactionStmt = "TransactionStmt", variableSetStmt = "VariableSetStmt", variableShowStmt = "VariableShowStmt"
    case discardStmt = "DiscardStmt", constraintsSetStmt = "ConstraintsSetStmt", listenStmt = "ListenStmt"
    case unlistenStmt = "UnlistenStmt", notifyStmt = "NotifyStmt", lockStmt = "LockStmt", checkPointStmt = "CheckPointStmt"
    case loadStmt = "LoadStmt", vacuumStmt = "VacuumStmt", clusterStmt = "ClusterStmt", reindexStmt = "ReindexStmt"
    case refreshMatViewStmt = "RefreshMatViewStmt", commentStmt = "CommentStmt", secLabelStmt = "SecLabelStmt"
    case grantStmt = "GrantStmt", grantRoleStmt = "GrantRoleStmt", alterDefaultPrivilegesStmt = "AlterDefaultPrivilegesStmt"
    case createRoleStmt = "CreateRoleStmt", alterRoleStmt = "AlterRoleStmt", alterRoleSetStmt = "AlterRoleSetStmt"
    case dropRoleStmt = "DropRoleStmt", dropOwnedStmt = "DropOwnedStmt", reassignOwnedStmt = "ReassignOwnedStmt"
    case createUserMappingStmt = "CreateUserMappingStmt", alterUserMappingStmt = "AlterUserMappingStmt"
    case dropUserMappingStmt = "DropUserMappingStmt", createPolicyStmt = "CreatePolicyStmt", alterPolicyStmt = "AlterPolicyStmt"
    case alterOwnerStmt = "AlterOwnerStmt", alterSystemStmt = "AlterSystemStmt", alterTableStmt = "AlterTableStmt"
    case alterDatabaseSetStmt = "AlterDatabaseSetStmt", alterObjectSchemaStmt = "AlterObjectSchemaStmt", renameStmt = "RenameStmt"
    case replicaIdentityStmt = "ReplicaIdentityStmt", alterSubscriptionStmt = "AlterSubscriptionStmt"
    case createStmt = "CreateStmt", createTableAsStmt = "CreateTableAsStmt", createForeignTableStmt = "CreateForeignTableStmt"
    case createFunctionStmt = "CreateFunctionStmt", createSubscriptionStmt = "CreateSubscriptionStmt", viewStmt = "ViewStmt"
    case createPublicationStmt = "CreatePublicationStmt", alterPublicationStmt = "AlterPublicationStmt", createSchemaStmt =
        "CreateSchemaStmt"
    case createPLangStmt = "CreatePLangStmt", createSeqStmt = "CreateSeqStmt", indexStmt = "IndexStmt", ruleStmt = "RuleStmt"
    case defineStmt = "DefineStmt", importForeignSchemaStmt = "ImportForeignSchemaStmt", compositeTypeStmt = "CompositeTypeStmt"
    case createdbStmt = "CreatedbStmt", dropdbStmt = "DropdbStmt", returnStmt = "ReturnStmt", plAssignStmt = "PLAssignStmt"
    /// What is not named above, by how its name begins and ends.
    case anyAlter = "Alter…Stmt", anyCreate = "Create…Stmt", anyDrop = "Drop…Stmt"

    /// A look-up by hash alone: the names come from libpg_query, never from the text, and no two of them have the same one.
    init(_ json: [UInt8], _ range: Range<Int>) {
        var hash: UInt32 = 2_166_136_261
        for i in range { hash = (hash ^ UInt32(json[i])) &* 16_777_619 }
        var slot = Int(hash & 1023)
        while let entry = ParseKey.table[slot] {
            if entry.hash == hash {
                self = entry.key
                return
            }
            slot = (slot + 1) & 1023
        }
        self = ParseKey.unnamed(json[range])
    }

    private static func unnamed(_ name: ArraySlice<UInt8>) -> ParseKey {
        guard let first = name.first, first & 0x20 == 0, name.suffix(4).elementsEqual("Stmt".utf8) else { return .other }
        for (prefix, key) in [("Alter", ParseKey.anyAlter), ("Create", .anyCreate), ("Drop", .anyDrop)] where name.starts(with: prefix.utf8)
        {
            return key
        }
        return .other
    }

    private static let table: [(hash: UInt32, key: ParseKey)?] = {
        var table: [(hash: UInt32, key: ParseKey)?] = Array(repeating: nil, count: 1024)
        for key in allCases {
            let hash = key.rawValue.utf8.reduce(2_166_136_261 as UInt32) { ($0 ^ UInt32($1)) &* 16_777_619 }
            var slot = Int(hash & 1023)
            while table[slot] != nil { slot = (slot + 1) & 1023 }
            table[slot] = (hash, key)
        }
        return table
    }()
}
