"""`python -m dataforge_client.cli`: where the program is not on the path."""

from dataforge_client.cli import main

main()
