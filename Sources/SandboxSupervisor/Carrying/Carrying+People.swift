internal import SandboxLineage
internal import SandboxModel

/// For people: who, what, and why.
extension Surroundings.Outside {
    var text: String {
        switch self {
        case .ip(let ip, let port): ip.isV4 ? "\(ip):\(port)" : "[\(ip)]:\(port)"
        case .unix: "a unix socket outside"
        }
    }
}

extension Carrying.State {
    func ancestors(of serial: UInt32) -> [UInt32] {
        var list: [UInt32] = []
        var next = parents[serial]
        while let serial = next, serial != 0, list.count < 64 {
            if living[serial] != nil { list.append(serial) }
            next = parents[serial]
        }
        return list
    }

    func pid(of serial: UInt32) -> Int32 { living[serial] ?? pids[serial] ?? 0 }

    func name(of carrier: Carrier) -> String {
        switch carrier {
        case .process(let serial):
            let program = programs[serial].map { Escaped.text($0) } ?? "a process"
            return "\(program) (pid \(pid(of: serial)))"
        case .place(let place):
            if let name = names[place], !name.isEmpty { return "`\(Escaped.text(name))`" }
            return switch place.kind {
            case .file: "a file (inode \(place.inode))"
            case .pipe: "a pipe (\(place.inode))"
            case .socket: "a socket (\(place.inode))"
            case .memory: "memory that is shared"
            case .terminal: "a terminal"
            case .object: "a System V object (\(place.inode))"
            case .folder: "a folder (inode \(place.inode))"
            case .counter: "an event counter (\(place.inode))"
            case .names: "the names of sockets"
            }
        }
    }

    /// One line a step, the beginning first.
    func text(of chain: [Gain]) -> String {
        let lines = chain.suffix(64).map { gain -> String in
            let who = name(of: gain.carrier)
            guard let from = gain.from else { return "\(who): \(gain.source ?? "unknown")" }
            switch (gain.carrier, from) {
            case (.process, .process): return "\(who) was started by, or looked into, \(name(of: from))"
            case (.process, .place): return "\(who) could read \(name(of: from))"
            case (.place, _): return "\(name(of: from)) could write \(who)"
            }
        }
        return lines.joined(separator: "\n")
    }
}
