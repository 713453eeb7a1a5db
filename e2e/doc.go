// Package e2e proves the library against the real things: Debian's Chromium, the published npm
// packages aws-amplify, @aws-amplify/ui-react and @aws-amplify/adapter-nextjs on Node and Next.js,
// the AWS SDKs for Go and JavaScript, and openid-client. It exports nothing; everything is in its
// tests and the helpers that they share:
//
//	setup.go       what must be installed, and a clear word where it is not
//	backend.go     a sandbox, in the test's process
//	app.go         an application on this library, in the test's process, and a network that fails on demand
//	program.go     commands of this repository, as processes
//	browser.go     Chromium, and tabs that click and type as people do
//	axe.go         axe-core, which looks for faults of accessibility in the page of a tab
//	node.go        npm packages in a Node process or in a page, called by name
//	bundle.go      npm packages as the script of a page
//	next.go        a Next.js application
//	poolclient.go  the AWS SDK for Go
//	transfer       a server through which files are uploaded and downloaded, as a process
//	s3             the referee of the sandbox's S3, which s3referee_test.go runs
//	wasm           a program for GOOS=js, which wasm_test.go runs in Node.js
//
// js/next and js/amplify are the programs in JavaScript; js/axe is the package axe-core alone.
// `make interop` runs the tests of the programs with the packages of js/versions too: Next.js 16
// (proxy.js and Turbopack), aws-amplify 6.0, aws-amplify 5 with ssr: true, and
// amazon-cognito-identity-js. Those tests are in interop_test.go, behind the build tag interop.
//
// Nothing in here reaches beyond the loopback interface, except the go command when it lacks a
// module. A test that lacks something that should be installed fails.
package e2e
