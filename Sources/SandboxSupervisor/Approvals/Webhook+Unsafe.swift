internal import Glibc
internal import SandboxKernel
internal import SandboxModel
internal import SandboxPolicy
internal import Synchronization

/// Questions go out to a web server, and its answers come back, both signed with a secret that the two share: HMAC-SHA-256 over the
/// time, a full stop and the body. Plain HTTP/1.1 on a thread for each question: a server on this machine, or what takes it
/// elsewhere by TLS; a stack for that has no place in the supervisor.
final class Webhook: QuestionListener {
    private let host: String
    private let port: String
    private let path: String
    private let secret: [UInt8]
    /// Answers that were taken, by their signatures.
    private let taken = Mutex<Set<String>>([])
    private let threads = Atomic<Int>(0)
    private static let mostThreads = 64
    /// Seconds by which the other's clock may be off.
    private static let tolerance: UInt64 = 300
    private static let mostBytes = 64 * 1024

    /// `approvals.yaml` beside the folders of profiles: the system's before the user's. Nil where there is none.
    static func configured() throws(RunFailure) -> Webhook? {
        for path in paths.reversed() {
            do throws(ProfileLookupFailure) {
                guard let source = try ProfileFiles.read(path) else { continue }
                return try Webhook(source.bytes, path)
            } catch { throw RunFailure(error.message, help: error.help) }
        }
        return nil
    }

    /// No session may read what they hold.
    static var paths: [String] {
        ProfileFiles().folders.filter { $0.origin != "shipped" }.map { ProfileFiles.parent($0.path) + "/approvals.yaml" }
    }

    private init(_ text: [UInt8], _ file: String) throws(ProfileLookupFailure) {
        var status = stat()
        guard stat(file, &status) == 0, status.st_mode & 0o077 == 0 else {
            throw ProfileLookupFailure("`\(file)` can be read by others than its owner", help: "chmod 600 \(file)", isRefusal: true)
        }
        var fields: [String: String] = [:]
        for line in String(decoding: text, as: UTF8.self).split(separator: "\n") {
            guard let colon = line.firstIndex(of: ":") else { continue }
            fields[String(line[..<colon])] = line[line.index(after: colon)...].split(separator: " ").first.map(String.init)
        }
        guard let url = fields["url"], let secret = fields["secret"], secret.utf8.count >= 16, url.hasPrefix("http://") else {
            throw ProfileLookupFailure("`\(file)` wants `url: http://HOST[:PORT]/PATH` and `secret:` with 16 characters or more")
        }
        let rest = url.dropFirst(7), slash = rest.firstIndex(of: "/") ?? rest.endIndex
        let place = rest[..<slash].split(separator: ":", maxSplits: 1)
        host = String(place.first ?? "")
        port = place.count > 1 ? String(place[1]) : "80"
        path = slash == rest.endIndex ? "/" : String(rest[slash...])
        self.secret = Array(secret.utf8)
    }

    /// Goes on until there is an outcome, whoever finds it. Beyond so many at once others have to answer.
    func asked(_ question: Question, _ approvals: Approvals) {
        guard threads.add(1, ordering: .relaxed).newValue <= Webhook.mostThreads else {
            threads.subtract(1, ordering: .relaxed)
            return
        }
        let failed = WorkerThread.start("sbx-webhook") { [self] in
            defer { threads.subtract(1, ordering: .relaxed) }
            while question.outcome == nil {
                // Others may have to answer as well: what was taken is followed by the next.
                if exchange("{\(question.shown)}", { take($0, question, approvals) }) { continue }
                for _ in 0..<10 where question.outcome == nil { usleep(100_000) }
            }
        }
        if failed != 0 { threads.subtract(1, ordering: .relaxed) }
    }

    // MARK: Answers

    /// False where it is no answer; that is on record, and it is asked again after a while.
    private func take(_ response: HTTPResponse, _ question: Question, _ approvals: Approvals) -> Bool {
        let object = FlatJSON(String(decoding: response.body, as: UTF8.self))
        var answer: Answer?
        switch object["answer"] {
        case "approve": answer = ApprovalDesk.approval(object["scope"] ?? "once")
        case "deny": answer = Answer(approves: false, reason: object["reason"])
        default: break
        }
        let why = objection(to: response, object, question)
        guard why == nil, let answer, let name = object["by"] else {
            approvals.refuse(question, because: why ?? "it says neither yes nor no", channel: "webhook")
            return false
        }
        let titles = ["groups", "roles"].flatMap { field in
            (object[field] ?? "").split(separator: " ").map { "\(field.dropLast()):" + $0.filter { $0 != "\"" } }
        }
        _ = approvals.answer(question.id, answer, by: Person(name: name, titles: titles, channel: "webhook"))
        return true
    }

    /// Nothing of what is not signed is believed, so the signature comes first.
    private func objection(to response: HTTPResponse, _ object: FlatJSON, _ question: Question) -> String? {
        guard let time = response["x-sandbox-timestamp"], let signature = response["x-sandbox-signature"] else { return "it is not signed" }
        guard isEqual(signature, sign(time, response.body)) else { return "its signature is wrong" }
        guard let seconds = UInt64(time), isNear(seconds) else { return "it was signed at another time" }
        guard object["approval"] == question.id else { return "it is about another question" }
        guard taken.withLock({ $0.insert(signature).inserted }) else { return "it was taken before" }
        guard let name = object["by"], name.hasPrefix("user:"), name.utf8.count <= 256 else { return "it does not say whose it is" }
        return nil
    }

    private func isNear(_ seconds: UInt64) -> Bool {
        let now = currentSeconds()
        return seconds <= now + Webhook.tolerance && now <= seconds + Webhook.tolerance
    }

    private func currentSeconds() -> UInt64 { UInt64(time(nil)) }

    /// Its time does not tell where they differ.
    private func isEqual(_ a: String, _ b: String) -> Bool {
        let a = Array(a.utf8), b = Array(b.utf8)
        return a.count == b.count && zip(a, b).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) } == 0
    }

    private func sign(_ time: String, _ body: [UInt8]) -> String {
        "sha256=" + SHA256.hex(SHA256.authenticationCode(key: secret, Array((time + ".").utf8) + body))
    }

    // MARK: HTTP

    /// The connection ends when the answer has had its effect.
    private func exchange(_ text: String, _ take: (HTTPResponse) -> Bool) -> Bool {
        guard let fd = connected() else { return false }
        defer { close(fd) }
        guard let response = ask(text, fd), response.status == 200 else { return false }
        return take(response)
    }

    private func ask(_ text: String, _ fd: Int32) -> HTTPResponse? {
        let body = Array(text.utf8), time = String(currentSeconds())
        let head =
            "POST \(path) HTTP/1.1\r\nHost: \(host):\(port)\r\nContent-Type: application/json\r\nContent-Length: \(body.count)\r\n"
            + "X-Sandbox-Timestamp: \(time)\r\nX-Sandbox-Signature: \(sign(time, body))\r\nConnection: close\r\n\r\n"
        let request = Array(head.utf8) + body
        var sent = 0
        while sent < request.count {
            let n = request[sent...].withUnsafeBytes { send(fd, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            if n <= 0 { return nil }
            sent += n
        }
        var bytes: [UInt8] = [], chunk = [UInt8](repeating: 0, count: 4096)
        while bytes.count < Webhook.mostBytes {
            let n = recv(fd, &chunk, chunk.count, 0)
            if n <= 0 { break }
            bytes += chunk[..<n]
            if let response = HTTPResponse(bytes), response.isWhole { return response }
        }
        return HTTPResponse(bytes)
    }

    private func connected() -> Int32? {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(host, port, &hints, &list) == 0, let first = list else { return nil }
        defer { freeaddrinfo(list) }
        let fd = socket(first.pointee.ai_family, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var limit = timeval(tv_sec: 30, tv_usec: 0)
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        if fd >= 0, connect(fd, first.pointee.ai_addr, first.pointee.ai_addrlen) == 0 { return fd }
        if fd >= 0 { close(fd) }
        return nil
    }
}

/// As much of HTTP/1.1 (RFC 9112) as an answer needs: a status, fields, and a body whose length is told or that ends with the connection.
struct HTTPResponse {
    let status: Int
    private let fields: [String: String]
    let body: [UInt8]

    init?(_ bytes: [UInt8]) {
        guard let end = bytes.firstRange(of: Array("\r\n\r\n".utf8)) else { return nil }
        let lines = String(decoding: bytes[..<end.lowerBound], as: UTF8.self).split(separator: "\r\n")
        let words = (lines.first ?? "").split(separator: " ")
        guard words.count >= 2, words[0].hasPrefix("HTTP/1."), let status = Int(words[1]) else { return nil }
        self.status = status
        var fields: [String: String] = [:]
        for line in lines.dropFirst() {
            guard let colon = line.firstIndex(of: ":") else { continue }
            fields[line[..<colon].lowercased()] = line[line.index(after: colon)...].split(separator: " ").joined(separator: " ")
        }
        self.fields = fields
        let rest = Array(bytes[end.upperBound...])
        body = fields["content-length"].flatMap { Int($0) }.map { Array(rest.prefix(max($0, 0))) } ?? rest
    }

    subscript(_ name: String) -> String? { fields[name] }
    var isWhole: Bool { fields["content-length"].flatMap { Int($0) } == body.count }
}
