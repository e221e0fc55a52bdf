package import SandboxModel

extension Policy {
    /// Judges the use of a file by its absolute path, all links resolved. `isProgram`: it may be executed.
    package func judge(file path: Span<UInt8>, access: FileAccess, isProgram: Bool = false) -> Ruling {
        var hits = Hits()
        guard paths.walk(path, &hits) else { return Ruling(.deny, by: defaults.malformed) }
        let ruling = denial(hits, access, isProgram: isProgram) ?? grant(hits, access)
        return access == .pathOnly && ruling.rule == defaults.files.rule && isWay(path) ? Ruling(.allow, by: builtin.way) : ruling
    }

    /// One of the session's own folders lies below.
    private func isWay(_ path: Span<UInt8>) -> Bool {
        ownFolders.contains { folder in
            folder.count > path.count && folder[path.count] == UInt8(ascii: "/") && path.indices.allSatisfy { folder[$0] == path[$0] }
        }
    }

    /// The rule that takes a file out of reach, whatever the lists grant: nil where none does.
    package func denial(of path: Span<UInt8>, access: FileAccess, isProgram: Bool) -> Ruling? {
        var hits = Hits()
        guard paths.walk(path, &hits) else { return nil }
        return denial(hits, access, isProgram: isProgram)
    }

    /// Whether something denied may lie below a folder, by rules that say where.
    package func mayDenyBelow(_ path: Span<UInt8>) -> Bool {
        var hits = Hits()
        guard paths.walk(path, &hits) else { return false }
        return hits.below != Hits.none || denial(hits, .write) != nil
    }

    /// Judges moving a whole folder away: what it holds must not thereby get out of the reach of a denial, nor
    /// into that of a grant. So nothing below may be denied by a rule that is bound to this place, and the folder
    /// must be writable with all it holds, not name by name.
    package func judge(renameOfDirectory path: Span<UInt8>) -> Ruling {
        var hits = Hits()
        guard paths.walk(path, &hits) else { return Ruling(.deny, by: defaults.malformed) }
        if let denied = denial(hits, [.rename, .delete]) { return denied }
        if hits.below != Hits.none { return Ruling(.deny, by: RuleID(rawValue: hits.below)) }
        let granted = grant(hits, [.rename, .delete])
        if granted.decision == .allow, !hits.writesWhole, defaults.files.decision != .allow {
            return defaults.files
        }
        return granted
    }

    /// Judges making a symbolic link there: where names below are denied by a rule that is bound to this place, it would
    /// bring them in from elsewhere. Nil where nothing speaks against it.
    package func judge(linkAt path: Span<UInt8>) -> Ruling? {
        var hits = Hits()
        guard paths.walk(path, &hits) else { return Ruling(.deny, by: defaults.malformed) }
        return hits.below == Hits.none ? nil : Ruling(.deny, by: RuleID(rawValue: hits.below))
    }

    /// What takes a file out of reach: the built-in rules, `files.deny`, and `exec.deny`: a program that may not be
    /// run may not be read either, or a copy of it would run under another name. A bare name counts in folders of
    /// programs, and elsewhere for what may be executed, but for its removal: other files are called `su`, too.
    @inline(__always)
    func denial(_ hits: Hits, _ access: FileAccess, isProgram: Bool = false) -> Ruling? {
        let changes = !access.isDisjoint(with: .changing)
        let built = changes ? min(hits[.sealed], hits[.unchangeable]) : hits[.sealed]
        if built != Hits.none { return Ruling(.deny, by: RuleID(rawValue: built)) }
        if hits[.fileDeny] != Hits.none { return Ruling(.deny, by: RuleID(rawValue: hits[.fileDeny])) }
        let isNamed = isProgram && access != .delete
        let program = min(hits[.execDenyPath], isNamed ? hits[.execDenyName] : hits[.execDenyFolder])
        if program != Hits.none { return Ruling(.deny, by: RuleID(rawValue: program)) }
        return nil
    }

    @inline(__always)
    private func grant(_ hits: Hits, _ access: FileAccess) -> Ruling {
        let changes = !access.isDisjoint(with: .changing)
        let rule = changes ? hits[.fileWrite] : min(hits[.fileWrite], hits[.fileRead])
        if rule != Hits.none { return Ruling(.allow, by: RuleID(rawValue: rule)) }
        // Running is for `exec` to judge; the file lists only take away from it.
        if access == .execute { return Ruling(.allow, by: defaults.exec.rule) }
        return defaults.files
    }
}

extension Policy {
    /// Judges the start of a program: by the file that would really run, and by the path it was asked for by.
    ///
    /// Both may deny. What allows must not be the session's to choose: a bare name says nothing about a file that it wrote
    /// (`isWritten`), and the path that was asked for nothing where it can put a link (`isPlace` is false).
    package func judge(
        exec resolved: Span<UInt8>, invoked: Span<UInt8>, isWritten: Bool = false, isPlace: () -> Bool = { true }
    ) -> Ruling {
        var hits = Hits(), asked = Hits()
        guard paths.walk(resolved, &hits) else { return Ruling(.deny, by: defaults.malformed) }
        let askedIsPlain = paths.walk(invoked, &asked)
        if let denied = denial(hits, .execute) { return denied }
        let denied = min(hits[.execDenyName], asked[.execDenyName], asked[.execDenyPath])
        if denied != Hits.none { return Ruling(.deny, by: RuleID(rawValue: denied)) }
        let named = isWritten ? Hits.none : hits[.execAllowName]
        var allowed = min(hits[.execAllow], named)
        // A spelling with `..` or without its beginning says little about the place.
        let byAsked = min(asked[.execAllow], isWritten ? Hits.none : asked[.execAllowName])
        if byAsked < allowed, askedIsPlain, isPlace() { allowed = byAsked }
        if allowed != Hits.none { return Ruling(.allow, by: RuleID(rawValue: allowed)) }
        return defaults.exec
    }
}

extension Policy {
    /// Judges a connection or a datagram to a socket in the file system, by its resolved path.
    package func judge(unixConnect path: Span<UInt8>) -> Ruling {
        var hits = Hits()
        guard paths.walk(path, &hits) else { return Ruling(.deny, by: defaults.malformed) }
        if let denied = denial(toTalk: hits) { return denied }
        if hits[.unixAllow] != Hits.none { return Ruling(.allow, by: RuleID(rawValue: hits[.unixAllow])) }
        return defaults.network
    }

    /// The rule that takes a socket out of reach, whatever the lists grant.
    package func denial(ofSocket path: Span<UInt8>) -> Ruling? {
        var hits = Hits()
        return paths.walk(path, &hits) ? denial(toTalk: hits) : nil
    }

    /// Talking to a socket acts on what is behind it, so that it counts as changing.
    private func denial(toTalk hits: Hits) -> Ruling? {
        denial(hits, .write) ?? (hits[.unixDeny] != Hits.none ? Ruling(.deny, by: RuleID(rawValue: hits[.unixDeny])) : nil)
    }

    /// Judges a connection or a datagram to an abstract socket; the name is without the leading NUL.
    package func judge(abstract name: Span<UInt8>) -> Ruling {
        abstractSockets.judge(connect: name) ?? defaults.network
    }

    /// Judges taking an abstract name to listen on. A socket in the file system is judged as the file it makes.
    package func judge(abstractListen name: Span<UInt8>) -> Ruling {
        abstractSockets.judge(listen: name) ?? defaults.network
    }

    /// Judges a connection or a datagram to an address. `names` are those of `hostNames` it was resolved from.
    package func judge(connect address: IPAddress, port: UInt16, transport: Transport, names: HostSet) -> Ruling {
        connects.judge(address.canonicalDestination, port, transport, names) ?? defaults.network
    }

    /// The address might be one of a listed host's that has not been resolved: where nobody listed it, or where a name is
    /// denied and no denial has matched.
    package func dependsOnNames(_ ruling: Ruling) -> Bool {
        ruling.rule == defaults.network.rule && ruling.decision == .deny || deniesNames && ruling.decision != .deny
    }

    /// Whoever denies names denies everything until it is known what they stand for.
    package var nameless: Ruling? { deniesNames ? Ruling(.deny, by: defaults.network.rule) : nil }

    /// Judges taking an address to listen on. An unspecified address is every address of the machine: who may have loopback
    /// alone may have it as well, because nobody else gets in then (`listensToOthers`).
    package func judge(listen address: IPAddress, port: UInt16, transport: Transport) -> Ruling {
        let ruling = listing(address, port, transport)
        guard ruling.decision == .deny, address.isUnspecified, transport != .other else { return ruling }
        let loopback = listing(.loopback4, port, transport)
        // Whoever takes `::` takes IPv4 along.
        return address.isV4 || loopback.decision == .deny ? loopback : listing(.loopback6, port, transport)
    }

    /// A list names the address as it is, not only what of it is this machine's. One of loopback may be lost before listen(2) has happened
    /// (connect(2), AF_UNSPEC), and with it what keeps others out: that takes a list that names every address.
    package func listensToOthers(at address: IPAddress, port: UInt16, transport: Transport) -> Bool {
        listing(address.isLoopback ? address.unspecified : address, port, transport).decision != .deny
    }

    private func listing(_ address: IPAddress, _ port: UInt16, _ transport: Transport) -> Ruling {
        listens.judge(address, port, transport, HostSet()) ?? defaults.network
    }
}
