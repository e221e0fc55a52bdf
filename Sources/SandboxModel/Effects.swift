extension IntentSet {
    /// What an operation means by itself, whatever program does it. Where the operation leaves it open (a change of mode or of
    /// owner), all that it may be.
    package static func effects(of operation: Operation, _ access: FileAccess = []) -> IntentSet {
        switch operation {
        case .exec: [.procExec]
        case .open, .create, .delete, .rename, .link, .metadata: files(access)
        case .connect, .send: [.netConnect, .netEgress]
        case .bind: [.netListen]
        case .dns: [.netDNS, .netEgress]
        case .signal: [.procSignal]
        case .exit, .accept, .query, .http, .mount, .other: []
        }
    }

    private static func files(_ access: FileAccess) -> IntentSet {
        var set: IntentSet = []
        if !access.isDisjoint(with: [.read, .pathOnly]) { set.insert(.fileRead) }
        if access.contains(.write) { set.insert(.fileWrite) }
        if access.contains(.create) { set.insert(.fileCreate) }
        if access.contains(.truncate) { set.insert(.fileTruncate) }
        if access.contains(.rename) { set.insert(.fileRename) }
        if access.contains(.delete), !access.contains(.rename) { set.insert(.fileDelete) }
        if access.contains(.link) { set.insert(.fileLink) }
        if access.contains(.metadata) { set.formUnion([.fileChmod, .fileChown]) }
        return set
    }
}
