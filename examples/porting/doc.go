// Package porting has the Go code of docs/porting.md: each example of Amplify's pages on
// server-side rendering, a file each. Its tests run them, and compare the page with this package.
package porting
