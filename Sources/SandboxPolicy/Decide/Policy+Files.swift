package import SandboxModel

extension Policy {
    /// Judges the use of a file by its absolute path, all links resolved.
    package func judge(file path: Span<UInt8>, access: FileAccess) -> Ruling {
        var hits = Hits()
        guard paths.walk(path, &hits) else { return Ruling(.deny, by: defaults.malformed) }
        return denial(hits, access) ?? grant(hits, access)
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

    /// What takes a file out of reach: the built-in rule, `files.deny`, and `exec.deny`: a program that may not be
    /// run may not be read either, or a copy of it would run under another name.
    @inline(__always)
    func denial(_ hits: Hits, _ access: FileAccess) -> Ruling? {
        let changes = !access.isDisjoint(with: .changing)
        if hits[.sealed] != Hits.none || changes && hits[.unchangeable] != Hits.none {
            return Ruling(.deny, by: defaults.sealed)
        }
        if hits[.fileDeny] != Hits.none { return Ruling(.deny, by: RuleID(rawValue: hits[.fileDeny])) }
        let program = min(hits[.execDenyPath], hits[.execDenyFolder])
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
    package func judge(exec resolved: Span<UInt8>, invoked: Span<UInt8>) -> Ruling {
        var hits = Hits(), asked = Hits()
        guard paths.walk(resolved, &hits) else { return Ruling(.deny, by: defaults.malformed) }
        let askedIsPlain = paths.walk(invoked, &asked)
        if let denied = denial(hits, .execute) { return denied }
        let denied = min(hits[.execDenyName], asked[.execDenyName], asked[.execDenyPath])
        if denied != Hits.none { return Ruling(.deny, by: RuleID(rawValue: denied)) }
        // A spelling with `..` or without its beginning may deny but not allow: it says little about the place.
        let allowed = min(hits[.execAllow], askedIsPlain ? asked[.execAllow] : Hits.none)
        if allowed != Hits.none { return Ruling(.allow, by: RuleID(rawValue: allowed)) }
        return defaults.exec
    }
}

extension Policy {
    /// Judges a connection or a datagram to a socket in the file system, by its resolved path.
    package func judge(unixConnect path: Span<UInt8>) -> Ruling {
        var hits = Hits()
        guard paths.walk(path, &hits) else { return Ruling(.deny, by: defaults.malformed) }
        // Talking to a socket acts on what is behind it, so that it counts as changing (THREATS, section 5).
        if let denied = denial(hits, .write) { return denied }
        if hits[.unixDeny] != Hits.none { return Ruling(.deny, by: RuleID(rawValue: hits[.unixDeny])) }
        if hits[.unixAllow] != Hits.none { return Ruling(.allow, by: RuleID(rawValue: hits[.unixAllow])) }
        return defaults.network
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

    /// Judges taking an address to listen on. An unspecified address is every address of the machine, not loopback.
    package func judge(listen address: IPAddress, port: UInt16, transport: Transport) -> Ruling {
        listens.judge(address, port, transport, HostSet()) ?? defaults.network
    }
}
