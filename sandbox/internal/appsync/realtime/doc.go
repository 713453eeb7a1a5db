// Package realtime is AppSync's realtime endpoint: GraphQL subscriptions by WebSocket (AppSync
// Developer Guide, "Building a real-time WebSocket client"). It speaks the protocol and bounds what
// clients can use; who may subscribe to what, and who gets what, is the business of package appsync.
package realtime
