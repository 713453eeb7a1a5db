package porting

import "html/template"

var signInLinks = template.Must(template.New("links").Parse(`
<a href="/api/auth/sign-in">Sign In</a>
<a href="/api/auth/sign-in?provider=Google">Sign In with Google</a>
<a href="/api/auth/sign-in?lang=fr">Se connecter</a>
<a href="/api/auth/sign-up">Sign Up</a>
<a href="/api/auth/sign-out">Sign Out</a>
`))
