internal import CShims
internal import Glibc

/// What a TCP connection has carried, by the kernel's own count (tcp(7), TCP_INFO).
package struct SocketTraffic: Sendable {
    package let cookie: UInt64
    package let sent: UInt64
    /// The end of what comes in may count as one byte.
    package let received: UInt64
    /// It is not connected, nor about to be.
    package let isIdle: Bool

    fileprivate init(_ t: sbx_traffic) {
        (cookie, sent, received, isIdle) = (t.cookie, t.sent, t.received, t.state == 7 /* TCP_CLOSE */)
    }

    /// All datagrams that are there, up to the one that says it is the last.
    fileprivate static func read(_ descriptor: Int32, hasLost: inout Bool) -> [SocketTraffic] {
        var found: [SocketTraffic] = []
        withUnsafeTemporaryAllocation(of: sbx_traffic.self, capacity: 128) { room in
            var ends: Int32 = 0
            while ends == 0 {
                let n = sbx_traffic_read(descriptor, room.baseAddress, Int32(room.count), &ends)
                if n >= 0 { found += room[..<Int(n)].map(SocketTraffic.init) }
                if n == -ENOBUFS { hasLost = true } else if n < 0, n != -EINTR { return }
            }
        }
        return found
    }

    /// Of all that are there, those that only wait for the other side as well.
    package static func all() -> [SocketTraffic] {
        [AF_INET, AF_INET6].flatMap { family -> [SocketTraffic] in
            let answer = sbx_traffic_ask(family)
            guard answer >= 0 else { return [] }
            defer { _ = sbx_close(answer) }
            var hasLost = false
            return read(answer, hasLost: &hasLost)
        }
    }
}

/// Hears of each TCP socket that the kernel takes away: it was closed, or its last process has ended, and the other side knows.
package final class ClosedSockets: Sendable {
    private let descriptor: Int32

    /// Nil where the kernel does not tell.
    package init?() {
        descriptor = sbx_traffic_listen()
        if descriptor < 0 { return nil }
    }

    deinit { _ = sbx_close(descriptor) }

    /// Until there is something to be read, or that time is over; -1: without end.
    package func wait(milliseconds: Int32) {
        var p = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        poll(&p, 1, milliseconds)
    }

    /// What is there to be read now. `hasLost`: more came than there was room for.
    package func next(hasLost: inout Bool) -> [SocketTraffic] { SocketTraffic.read(descriptor, hasLost: &hasLost) }
}

extension SocketWork {
    /// The socket's own number, never given twice (SO_COOKIE, socket(7)).
    package var cookie: UInt64? {
        var number: UInt64 = 0
        return sbx_socket_cookie(socket, &number) == 0 ? number : nil
    }

    /// Nil for what is no TCP socket.
    package var traffic: SocketTraffic? {
        var t = sbx_traffic()
        return sbx_traffic_of(socket, &t) == 0 ? SocketTraffic(t) : nil
    }
}
