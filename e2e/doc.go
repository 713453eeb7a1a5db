// Package e2e proves the library against the real things: Debian's Chromium, the published npm packages
// aws-amplify and @aws-amplify/adapter-nextjs on Node and Next.js, and the AWS SDK for Go. It exports nothing; everything
// is in its tests and the helpers that they share:
//
//	setup.go    what must be installed, and a clear word where it is not
//	browser.go  Chromium, and profiles that click and type as people do
//	node.go     aws-amplify in a Node process or in a page, called by name
//
// Nothing in here reaches beyond the loopback interface.
package e2e
