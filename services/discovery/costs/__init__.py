"""What active addresses would cost, and how that is asked for (ACC-3)."""
