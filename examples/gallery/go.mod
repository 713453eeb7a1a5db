module github.com/amplify-go/amplify/examples/gallery

go 1.26.0

require github.com/amplify-go/amplify v0.0.0-00010101000000-000000000000
require github.com/amplify-go/amplify/sandbox v0.0.0-00010101000000-000000000000

replace github.com/amplify-go/amplify => ../..

replace github.com/amplify-go/amplify/sandbox => ../../sandbox
