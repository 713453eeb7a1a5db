module github.com/amplify-go/amplify/e2e

go 1.26.0

require github.com/amplify-go/amplify v0.0.0-00010101000000-000000000000

require github.com/amplify-go/amplify/sandbox v0.0.0-00010101000000-000000000000

require (
	github.com/aws/aws-sdk-go-v2 v1.47.7 // indirect
	github.com/aws/aws-sdk-go-v2/internal/configsources v1.4.25 // indirect
	github.com/aws/aws-sdk-go-v2/internal/endpoints/v2 v2.7.25 // indirect
	github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider v1.61.0 // indirect
	github.com/aws/smithy-go v1.28.8 // indirect
	github.com/chromedp/cdproto v0.159.0 // indirect
	github.com/chromedp/chromedp v0.23.0 // indirect
	github.com/go-json-experiment/json v0.0.0-20260213210345-44df1a37e875 // indirect
)

replace github.com/amplify-go/amplify => ..

replace github.com/amplify-go/amplify/sandbox => ../sandbox
