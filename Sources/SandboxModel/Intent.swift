/// What an operation means, in the one vocabulary of profiles, catalogue and trail. The names are fixed.
package enum Intent: UInt8, Sendable, CaseIterable {
    case fileRead, fileWrite, fileCreate, fileTruncate, fileDelete, fileRename, fileLink, fileChmod, fileChown
    case procExec, procExecWritten, procExecMemory, procExecDownloaded, procPrivilege, procSignal, procInspect, procPersist
    case netConnect, netEgress, netListen, netDNS, netUpload, netDownload, netTunnel, netLocalSocket
    case sqlSelect, sqlInsert, sqlUpdate, sqlUpdateAll, sqlDelete, sqlDeleteAll, sqlTruncate, sqlDrop, sqlAlter, sqlCreate
    case sqlGrant, sqlCopyOut, sqlCopyProgram, sqlCall, sqlUnknown
    case kvFlush, kvDelete, kvAdmin
    case gitCommit, gitPush, gitForcePush, gitResetHard, gitClean, gitBranchDelete, gitHistoryRewrite, gitConfigExec
    case pkgInstall, pkgPublish
    case containerRun, containerPrivileged, containerDelete, kubeApply, kubeDelete, kubeExec
    case infraApply, infraDestroy, cloudDelete, cloudCopyOut
    case diskFormat, diskRaw, systemService, systemShutdown
    case httpGet, httpPost, httpPut, httpPatch, httpDelete

    /// `git.force_push`.
    package var name: String { Intent.names[Int(rawValue)] }

    package init?(name: String) {
        guard let i = Intent.names.firstIndex(of: name) else { return nil }
        self.init(rawValue: UInt8(i))
    }

    /// In the order of the cases.
    private static let names = [
        "file.read", "file.write", "file.create", "file.truncate", "file.delete", "file.rename", "file.link", "file.chmod", "file.chown",
        "proc.exec", "proc.exec_written", "proc.exec_memory", "proc.exec_downloaded", "proc.privilege", "proc.signal", "proc.inspect",
        "proc.persist", "net.connect", "net.egress", "net.listen", "net.dns", "net.upload", "net.download", "net.tunnel",
        "net.local_socket", "sql.select", "sql.insert", "sql.update", "sql.update_all", "sql.delete", "sql.delete_all", "sql.truncate",
        "sql.drop", "sql.alter", "sql.create", "sql.grant", "sql.copy_out", "sql.copy_program", "sql.call", "sql.unknown", "kv.flush",
        "kv.delete", "kv.admin", "git.commit", "git.push", "git.force_push", "git.reset_hard", "git.clean", "git.branch_delete",
        "git.history_rewrite", "git.config_exec", "pkg.install", "pkg.publish", "container.run", "container.privileged",
        "container.delete", "kube.apply", "kube.delete", "kube.exec", "infra.apply", "infra.destroy", "cloud.delete", "cloud.copy_out",
        "disk.format", "disk.raw", "system.service", "system.shutdown", "http.get", "http.post", "http.put", "http.patch", "http.delete",
    ]
}

/// Several intents: two words, no allocation.
package struct IntentSet: Sendable, Hashable, ExpressibleByArrayLiteral {
    package private(set) var low: UInt64
    package private(set) var high: UInt64

    package init() { self.init(low: 0, high: 0) }
    package init(low: UInt64, high: UInt64) {
        self.low = low
        self.high = high
    }
    package init(_ intent: Intent) {
        self.init()
        insert(intent)
    }
    package init(arrayLiteral elements: Intent...) {
        self.init()
        for e in elements { insert(e) }
    }

    package static let all: IntentSet = {
        var set = IntentSet()
        for i in Intent.allCases { set.insert(i) }
        return set
    }()

    package var isEmpty: Bool { low | high == 0 }
    package mutating func insert(_ i: Intent) {
        if i.rawValue < 64 { low |= 1 << UInt64(i.rawValue) } else { high |= 1 << UInt64(i.rawValue - 64) }
    }
    package mutating func formUnion(_ other: IntentSet) {
        low |= other.low
        high |= other.high
    }
    package func union(_ other: IntentSet) -> IntentSet { IntentSet(low: low | other.low, high: high | other.high) }
    package func contains(_ i: Intent) -> Bool { !isDisjoint(with: IntentSet(i)) }
    package func isDisjoint(with other: IntentSet) -> Bool { low & other.low | high & other.high == 0 }
    package func isSubset(of other: IntentSet) -> Bool { low & ~other.low | high & ~other.high == 0 }
    package mutating func subtract(_ other: IntentSet) {
        low &= ~other.low
        high &= ~other.high
    }
    /// In the order of the vocabulary.
    package var elements: [Intent] { Intent.allCases.filter(contains) }
    package var names: [String] { elements.map(\.name) }

    /// What a name in a profile stands for: `git.push`, a family (`git`), or a family with a star (`git.*`). Nil: nothing.
    package init?(pattern: String) {
        self.init()
        let family = pattern.hasSuffix(".*") ? String(pattern.dropLast(2)) : pattern
        let beginning = Array("\(family).".utf8)
        for i in Intent.allCases where i.name == pattern || i.name.utf8.starts(with: beginning) { insert(i) }
        if isEmpty { return nil }
    }
}
