internal import SandboxModel

/// What a kind of statement means, whatever stands in it.
enum PostgresStatements {
    static let harmless: IntentSet = [.sqlSelect]

    /// Nil: no statement, or one that has to be looked at.
    static func meaning(_ key: ParseKey) -> (intents: IntentSet, reason: String)? {
        switch key {
        case .fetchStmt, .closePortalStmt, .transactionStmt, .variableShowStmt, .discardStmt, .constraintsSetStmt, .listenStmt,
            .unlistenStmt, .deallocateStmt, .lockStmt, .vacuumStmt, .declareCursorStmt:
            return (harmless, "a statement of the session's own")
        case .notifyStmt, .checkPointStmt: return ([.sqlCall], "asks the server to do something")
        case .loadStmt: return ([.sqlCall, .sqlCopyProgram], "LOAD runs a library in the server")
        case .callStmt: return ([.sqlCall], "CALL")
        case .grantStmt, .grantRoleStmt, .alterDefaultPrivilegesStmt, .secLabelStmt: return ([.sqlGrant], "changes who may do what")
        case .createRoleStmt, .createUserMappingStmt, .createPolicyStmt: return ([.sqlGrant, .sqlCreate], "makes a role, a mapping or a policy")
        case .alterRoleStmt, .alterRoleSetStmt, .alterUserMappingStmt, .alterPolicyStmt, .alterOwnerStmt, .reassignOwnedStmt:
            return ([.sqlGrant, .sqlAlter], "changes a role, a policy or an owner")
        case .dropRoleStmt, .dropOwnedStmt, .dropUserMappingStmt: return ([.sqlGrant, .sqlDrop], "removes a role or what it owns")
        case .clusterStmt, .reindexStmt, .commentStmt, .alterTableStmt, .renameStmt, .alterObjectSchemaStmt, .replicaIdentityStmt,
            .alterDatabaseSetStmt, .alterSystemStmt, .anyAlter:
            return ([.sqlAlter], "ALTER")
        case .alterSubscriptionStmt, .alterPublicationStmt: return ([.sqlAlter, .sqlCopyOut], "changes where data is replicated to")
        case .createSubscriptionStmt, .createPublicationStmt: return ([.sqlCreate, .sqlCopyOut], "replicates data")
        case .refreshMatViewStmt: return ([.sqlUpdate], "REFRESH")
        case .createFunctionStmt, .viewStmt, .createSchemaStmt, .createPLangStmt, .createSeqStmt, .indexStmt, .ruleStmt, .defineStmt,
            .importForeignSchemaStmt, .compositeTypeStmt, .createdbStmt, .createForeignTableStmt, .anyCreate:
            return ([.sqlCreate], "CREATE")
        case .dropStmt, .dropdbStmt, .anyDrop: return ([.sqlDrop], "DROP")
        default: return nil
        }
    }
}
