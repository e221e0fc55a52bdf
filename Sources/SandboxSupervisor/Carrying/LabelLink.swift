internal import Glibc
internal import SandboxKernel
internal import SandboxLineage
internal import SandboxModel
internal import SandboxPolicy
internal import SandboxStore
internal import Synchronization

/// What a place has, as sessions tell each other.
struct PlaceLabel: Equatable {
    let place: DataPlace
    /// Names of classes: each session has its own numbers for them.
    let classes: [String]
    let why: String
}

/// To the other sessions of the same state folder that follow data: two of them may have the ends of one pipe, one connection or one
/// file. Whoever gains tells all others what that means for what they may hold, before its call is answered; they look at what they hold,
/// take it in, and say what follows.
///
/// INVARIANT: only who has its turn (`FileLabels.alone`) tells and asks; who answers takes nothing but its own state. So nobody waits
/// for somebody who waits for it.
final class LabelLink: Sendable {
    private static let name = "labels"
    /// Seconds. A session that is alive and does not answer must not miss what it may hold.
    private static let patience = 10
    private let path: String
    private let socket: Int32

    /// Nil where it cannot listen.
    init?(session folder: String) {
        path = folder + "/" + LabelLink.name
        let mask = umask(0o077)
        defer { umask(mask) }
        guard let socket = ControlSocket.listen(path) else { return nil }
        self.socket = socket
    }

    func stop() {
        unlink(path)
        shutdown(socket, Int32(SHUT_RDWR))
    }

    // MARK: Being told

    func serve(_ supervision: Supervision, _ carrying: Carrying) {
        while true {
            let client = accept(socket, nil, nil)
            if client < 0 { if errno == EINTR || errno == ECONNABORTED { continue } else { return } }
            defer { close(client) }
            guard let peer = ControlSocket.peer(client), peer.uid == geteuid(), supervision.context.tasks.serial(of: peer.pid) == 0 else {
                continue
            }
            LabelLink.limit(client)
            guard let line = ControlSocket.readLine(client, limit: LabelLink.longest), let message = LabelMessage(line) else { continue }
            ControlSocket.write(client, supervision.answer(message, carrying).line)
        }
    }

    // MARK: Telling

    /// What all others say to it; nil where one that is alive did not answer.
    func send(_ message: LabelMessage, to others: [Neighbours.Other]) -> LabelMessage? {
        var all = LabelMessage()
        for other in others {
            guard let fd = LabelLink.connect(other) else { continue }
            defer { close(fd) }
            LabelLink.limit(fd)
            ControlSocket.write(fd, message.line)
            guard let line = ControlSocket.readLine(fd, limit: LabelLink.longest), let answer = LabelMessage(line) else {
                if other.isAlive { return nil }
                continue
            }
            all.labels += answer.labels
            all.refusal = all.refusal ?? answer.refusal.map { "\(other.id): \($0)" }
        }
        return all
    }

    /// Whoever follows nothing has no such socket, and who is still being started holds nothing that it does not ask about.
    private static func connect(_ other: Neighbours.Other) -> Int32? { ControlSocket.connect(other.path + "/" + name) }

    private static let longest = 64 << 20
    private static func limit(_ fd: Int32) {
        var limit = timeval(tv_sec: patience, tv_usec: 0)
        for option in [SO_RCVTIMEO, SO_SNDTIMEO] { setsockopt(fd, SOL_SOCKET, option, &limit, socklen_t(MemoryLayout<timeval>.size)) }
    }
}

/// One line each way: labels, questions, and what stands against it. Texts have no control characters but line ends in them.
struct LabelMessage: Equatable {
    var labels: [PlaceLabel] = []
    var asks: [DataPlace] = []
    var refusal: String?

    init() {}

    private static let entry: Character = "\u{1e}", field: Character = "\u{1f}", lineEnd: Character = "\u{1d}"

    var line: String {
        func number(_ p: DataPlace) -> [String] { ["\(p.kind.rawValue)", "\(p.device)", "\(p.inode)"] }
        var entries = labels.map { ["label"] + number($0.place) + [$0.classes.joined(separator: ","), $0.why] }
        entries += asks.map { ["ask"] + number($0) }
        if let refusal { entries.append(["refused", refusal]) }
        return entries.map { $0.joined(separator: String(LabelMessage.field)) }.joined(separator: String(LabelMessage.entry))
            .replacing("\n", with: String(LabelMessage.lineEnd))
    }

    init?(_ line: String) {
        for entry in line.replacing(String(LabelMessage.lineEnd), with: "\n").split(separator: LabelMessage.entry) {
            let fields = entry.split(separator: LabelMessage.field, omittingEmptySubsequences: false).map(String.init)
            if fields.count == 2, fields[0] == "refused" {
                refusal = fields[1]
                continue
            }
            guard fields.count >= 4, let raw = UInt8(fields[1]), let kind = DataPlace.Kind(rawValue: raw), let device = UInt64(fields[2]),
                let inode = UInt64(fields[3])
            else { return nil }
            let place = DataPlace(kind, device: device, inode: inode)
            if fields[0] == "ask", fields.count == 4 {
                asks.append(place)
            } else if fields[0] == "label", fields.count == 6 {
                labels.append(PlaceLabel(place: place, classes: fields[4].split(separator: ",").map(String.init), why: fields[5]))
            } else {
                return nil
            }
        }
    }
}
