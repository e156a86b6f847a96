"""What every view has in common: routes, requests, who may call, problems, and the document of all of it."""
