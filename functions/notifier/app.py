"""Bounces and complaints, as SES reports them."""

from dataforge.bootstrap import notifier_handler

handler = notifier_handler()
