"""Write every dashboard to `json/`."""

from deploy.grafana.dashboards.catalogue import FOLDER, texts


def main() -> None:
    """What is there already is overwritten."""
    for name, text in texts().items():
        (FOLDER / name).write_text(text)


if __name__ == "__main__":
    main()
