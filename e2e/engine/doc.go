// Package engine proves the session engine by load: crowds that arrive with one expired session,
// users whose backend fails three calls in ten, many user pools in one process, attacks beside
// users who are to be served. The library runs behind net/http and talks to sandboxes, all by
// loopback HTTP in this process. It exports nothing.
//
// The time of applications and backends stands still until a test advances it, so that sessions
// expire when they should, however slow the machine.
package engine
