package main

import "fmt"

// mode is who signs people in: the value of the flag -sign-in. What differs between the two is in
// newGallery and routes; every other room is the same.
type mode string

const (
	// byServer sends people to managed login and keeps their tokens in HttpOnly cookies.
	byServer mode = "server"
	// byBrowser lets Amplify JS sign people in inside the page (ssr: true); the server reads its
	// cookies.
	byBrowser mode = "browser"
)

// browserClient is the app client of byBrowser; byServer has the one of the outputs. Cookies are
// named after the client: HttpOnly ones, left behind by one mode, would keep Amplify JS from
// writing its own under the same names.
const browserClient = "gallery0client0000000000002"

func (m mode) check() error {
	if m != byServer && m != byBrowser {
		return fmt.Errorf("-sign-in=%s: say %s or %s", m, byServer, byBrowser)
	}
	return nil
}
