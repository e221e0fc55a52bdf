import Foundation

/// A server of one's own outside of any sandbox, ended with its owner. Not as root: PostgreSQL refuses that.
class DatabaseServer {
    let world: World
    fileprivate let running: Running

    fileprivate init(_ world: World, _ command: [String]) throws {
        self.world = world
        chmod(world.work, 0o755)
        running = try world.start(command)
    }

    deinit { running.kill() }

    fileprivate static func newWorld() throws -> World { try World(getuid() == 0 ? .ordinary : .own) }

    fileprivate func wait(_ question: [String]) throws {
        let answers = eventually(within: 60) { (try? world.native(question))?.code == 0 }
        if !answers { throw Trouble("no server: \(running.finish(within: 1))") }
    }

    fileprivate static func check(_ outcome: Outcome) throws { if outcome.code != 0 { throw Trouble("\(outcome)") } }
}

final class Postgres: DatabaseServer {
    static let programs = (try? FileManager.default.contentsOfDirectory(atPath: "/usr/lib/postgresql"))?.sorted().last.map {
        "/usr/lib/postgresql/\($0)/bin/"
    }
    static var isInstalled: Bool { Built.installed("psql") && programs.map { Built.exists($0 + "initdb") } == true }
    var client: String { "psql -X -q -At -h \(world.work) -U tester postgres" }

    init() throws {
        let world = try Self.newWorld(), programs = Self.programs ?? ""
        try Self.check(world.native([programs + "initdb", "-D", "pg", "-A", "trust", "-U", "tester", "--no-sync"]))
        try super.init(
            world,
            [
                programs + "postgres", "-D", "pg", "-k", world.work, "-c", "listen_addresses=", "-c", "fsync=off", "-c",
                "unix_socket_permissions=0777",
            ])
        try wait(["bash", "-c", client + " -c 'select 1'"])
    }

    func run(_ sql: String) throws { try Self.check(world.native(client.split(separator: " ").map(String.init) + ["-c", sql])) }
}

final class MariaDB: DatabaseServer {
    static var isInstalled: Bool { Built.installed("mysql", "mariadbd", "mariadb-install-db") }
    var client: String { "mysql --no-defaults -u root -S \(world.work)/socket -N t" }

    init() throws {
        let world = try Self.newWorld()
        try Self.check(
            world.native([
                "mariadb-install-db", "--no-defaults", "--datadir=\(world.work)/my", "--auth-root-authentication-method=normal",
                "--skip-test-db",
            ]))
        try super.init(
            world,
            [
                "mariadbd", "--no-defaults", "--datadir=\(world.work)/my", "--socket=\(world.work)/socket", "--skip-networking",
                "--pid-file=\(world.work)/pid",
            ])
        try wait(["bash", "-c", client.dropLast(2) + " -e 'select 1'"])
    }

    func run(_ sql: String) throws {
        try Self.check(world.native(client.split(separator: " ").dropLast().map(String.init) + ["-e", sql]))
    }
}

final class Redis: DatabaseServer {
    static var isInstalled: Bool { Built.installed("redis-server", "redis-cli") }
    var client: String { "redis-cli -s \(world.work)/socket" }

    init() throws {
        let world = try Self.newWorld()
        try super.init(
            world,
            [
                "redis-server", "--port", "0", "--unixsocket", world.work + "/socket", "--unixsocketperm", "777", "--save", "", "--dir",
                world.work,
            ])
        try wait(["bash", "-c", client + " ping | grep -q PONG"])
    }
}
