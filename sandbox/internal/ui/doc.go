// Package ui is what all pages of the sandbox have in common: the style sheet,
// templates in a common frame, headers that keep a page from being framed,
// sniffed or cached, and forms that no other site can submit.
//
// Its pages need no script, and the content security policy allows none.
package ui
